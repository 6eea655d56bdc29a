//! A token for each call, as Coinbase's facilitator wants it: a JWT that names the call and is good for two minutes.
//!
//! Keys come in as the provider hands them out and are kept as PKCS#8, which every crypto library reads. Who signs is a
//! port: a Worker has its runtime's own cryptography, which costs no bytes.

use crate::{
    UnixMillis,
    facilitator::credentials::{CredentialSigner, SignError},
    facilitator::transport::HttpRequest,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::json;
use std::fmt;

/// How long a token is good for.
const LIFE_S: u64 = 120;

/// `jwt` of a header in the configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TokenWire {
    pub key_id: String,
    /// Name of the secret that holds the private key.
    pub secret: String,
    pub algorithm: Algorithm,
}

/// How tokens are signed. Either signature has 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
}

/// A private key that was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub algorithm: Algorithm,
    /// PKCS#8 in DER.
    pub pkcs8: Vec<u8>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (a secret)", self.algorithm)
    }
}

/// Makes tokens with one key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    key_id: String,
    key: SigningKey,
}

/// `PrivateKeyInfo` of an Ed25519 key, up to the key's 32 bytes.
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// Version, and the algorithm `ecPublicKey` on `prime256v1`.
const P256_ALGORITHM: [u8; 24] =
    [2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// An `ECPrivateKey` of P-256, between its length and its 32 bytes.
const SEC1_P256: [u8; 5] = [2, 1, 1, 4, 0x20];

impl SigningKey {
    /// Reads an Ed25519 key as 32 bytes, or 64 with the public key, in base64; a P-256 key in PEM, as `EC PRIVATE KEY` or
    /// `PRIVATE KEY`. An error says nothing of the value.
    pub fn read(algorithm: Algorithm, text: &str) -> Result<Self, &'static str> {
        let pkcs8 = match algorithm {
            Algorithm::EdDSA => ed25519(text).ok_or("its value is no Ed25519 key: base64 of 32 or 64 bytes")?,
            Algorithm::ES256 => p256(text).ok_or("its value is no P-256 key in PEM")?,
        };
        Ok(Self { algorithm, pkcs8 })
    }
}

fn ed25519(text: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(text.trim()).ok()?;
    let seed = match key.len() {
        32 | 64 => &key[..32],
        _ => return None,
    };
    Some([&ED25519_PKCS8, seed].concat())
}

fn p256(text: &str) -> Option<Vec<u8>> {
    // A line's end is often written out where a secret has one line.
    let text = text.replace("\\n", "\n");
    let body = |kind: &str| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {kind}-----"))?;
        let (body, _) = rest.split_once("-----END")?;
        STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
    };
    if let Some(sec1) = body("EC PRIVATE KEY") {
        let content = sec1.get(2..)?;
        let fits =
            sec1.starts_with(&[0x30]) && content.starts_with(&SEC1_P256) && content.len() == usize::from(sec1[1]);
        return fits.then(|| in_der(0x30, &[&P256_ALGORITHM[..], &in_der(4, &sec1)].concat()));
    }
    let pkcs8 = body("PRIVATE KEY")?;
    let fits =
        pkcs8.first() == Some(&0x30) && pkcs8.windows(P256_ALGORITHM.len()).take(5).any(|at| at == P256_ALGORITHM);
    fits.then_some(pkcs8)
}

/// A value with its tag and length in front. Keys are shorter than 256 bytes.
fn in_der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("a P-256 key is shorter than 256 bytes");
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head, content.to_vec()].concat()
}

impl Tokens {
    pub(super) fn new(key_id: String, key: SigningKey) -> Self {
        Self { key_id, key }
    }

    pub(super) async fn made_for(
        &self,
        request: &HttpRequest<'_>,
        now: UnixMillis,
        signer: &impl CredentialSigner,
    ) -> Result<String, SignError> {
        let unsigned = self.unsigned(request, now, &signer.nonce());
        let signature = signer.sign(&self.key, unsigned.as_bytes()).await?;
        Ok(format!("Bearer {unsigned}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn unsigned(&self, request: &HttpRequest<'_>, now: UnixMillis, nonce: &str) -> String {
        let algorithm = match self.key.algorithm {
            Algorithm::EdDSA => "EdDSA",
            Algorithm::ES256 => "ES256",
        };
        let head = json!({"alg": algorithm, "kid": self.key_id, "nonce": nonce, "typ": "JWT"});
        let method = if request.json.is_some() { "POST" } else { "GET" };
        let place = request.url.split_once("://").map_or(request.url, |(_, place)| place);
        let place = place.split(['?', '#']).next().unwrap_or_default();
        let from = now.seconds();
        let claims = json!({
            "aud": ["cdp_service"],
            "exp": from + LIFE_S,
            "iss": "cdp",
            "nbf": from,
            "sub": self.key_id,
            "uris": [format!("{method} {place}")],
        });
        [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
