//! Tokens as Coinbase's facilitator wants them, checked as it does: whose, for which call, for how long, and by which signature.
//! A double takes each token once, since one that is not made for its call is a value and no function.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signer as _, Verifier as _, pkcs8::DecodePrivateKey as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha3::{Digest, Keccak256};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The name of every desk's key.
pub const TOKEN_KEY_ID: &str = "organizations/run/apiKeys/1";
/// The longest that a token may be good for.
const LIFE_S: u64 = 120;
/// By how much clocks may differ.
const SLACK_S: u64 = 5;
/// An `EC PRIVATE KEY` of P-256 up to its 32 bytes, and after them.
const SEC1_HEAD: [u8; 7] = [0x30, 0x31, 2, 1, 1, 4, 0x20];
const SEC1_TAIL: [u8; 12] = [0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TokenAlgorithm {
    EdDSA,
    ES256,
}

/// Signs a message with a key in PKCS#8. `None`: it is no key of the algorithm's.
#[must_use]
pub fn sign_with(algorithm: TokenAlgorithm, pkcs8: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        TokenAlgorithm::EdDSA => {
            ed25519_dalek::SigningKey::from_pkcs8_der(pkcs8).ok()?.sign(message).to_bytes().to_vec()
        }
        TokenAlgorithm::ES256 => {
            let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from_pkcs8_der(pkcs8).ok()?.sign(message);
            signature.to_bytes().to_vec()
        }
    })
}

/// The desk at which tokens of one key are looked at.
#[derive(Clone, Debug)]
pub struct TokenDesk {
    key: PublicKey,
    seen: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Clone, Debug)]
enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl TokenDesk {
    /// A private key as the provider hands it out, drawn from any text.
    #[must_use]
    pub fn draw_secret(algorithm: TokenAlgorithm, from: &str) -> String {
        let seed: [u8; 32] = Keccak256::digest(from).into();
        match algorithm {
            TokenAlgorithm::EdDSA => STANDARD.encode(seed),
            TokenAlgorithm::ES256 => {
                let der = [&SEC1_HEAD[..], &seed, &SEC1_TAIL].concat();
                // In one line, as a file of secrets has it.
                format!("-----BEGIN EC PRIVATE KEY-----\\n{}\\n-----END EC PRIVATE KEY-----", STANDARD.encode(der))
            }
        }
    }

    /// The desk for a key that [`Self::draw_secret`] drew.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[must_use]
    pub fn of(algorithm: TokenAlgorithm, secret: &str) -> Self {
        let bytes = |text: &str| STANDARD.decode(text).expect("a drawn key is base64");
        let key = match algorithm {
            TokenAlgorithm::EdDSA => {
                let seed = bytes(secret).try_into().expect("a drawn key has 32 bytes");
                PublicKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key())
            }
            TokenAlgorithm::ES256 => {
                let der = secret.split("\\n").nth(1).map(bytes).expect("a drawn key is in PEM");
                let key = p256::ecdsa::SigningKey::from_slice(&der[SEC1_HEAD.len()..][..32]);
                PublicKey::P256(*key.expect("a drawn key is below the curve's order").verifying_key())
            }
        };
        Self { key, seen: Arc::default() }
    }

    /// Takes a token for this call. The error says what is wrong with it.
    pub fn admit(&self, authorization: Option<&str>, call: &str, now: u64) -> Result<(), &'static str> {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).ok_or("no token")?;
        let (signed, signature) = token.rsplit_once('.').ok_or("no token of three parts")?;
        let (head, claims) = signed.split_once('.').ok_or("no token of three parts")?;
        let read = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let head = read(head).ok_or("its head cannot be read")?;
        let claims = read(claims).ok_or("its claims cannot be read")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature cannot be read")?;
        let is = |is: bool, why| if is { Ok(()) } else { Err(why) };
        is(head["alg"] == self.key.algorithm() && head["typ"] == "JWT", "it names another algorithm")?;
        is(head["kid"] == TOKEN_KEY_ID && claims["sub"] == TOKEN_KEY_ID, "it names another key")?;
        is(head["nonce"].as_str().is_some_and(|nonce| nonce.len() >= 16), "it has no nonce")?;
        is(claims["iss"] == "cdp" && claims["aud"][0] == "cdp_service", "it is for somebody else")?;
        is(claims["uris"] == serde_json::json!([call]), "it names another call")?;
        let time = |name: &str| claims[name].as_u64().ok_or("it has no times");
        let (from, to) = (time("nbf")?, time("exp")?);
        is(from <= now + SLACK_S && now < to && to - from.min(to) <= LIFE_S, "it is not good now")?;
        is(self.key.signed(signed.as_bytes(), &signature), "its signature does not hold")?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        is(seen.insert(token.to_owned()), "it was shown before")
    }
}

impl PublicKey {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            Self::P256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CALL: &str = "POST facilitator.test/settle";
    const NOW: u64 = 1_800_000_000;

    fn claims() -> Value {
        json!({
            "sub": TOKEN_KEY_ID, "iss": "cdp", "aud": ["cdp_service"], "nbf": NOW, "exp": NOW + LIFE_S, "uris": [CALL],
        })
    }

    fn token(secret: &str, head: &Value, claims: &Value) -> String {
        let signed = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let seed = STANDARD.decode(secret).unwrap().try_into().unwrap();
        let signature = ed25519_dalek::SigningKey::from_bytes(&seed).sign(signed.as_bytes());
        format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    #[test]
    fn a_token_opens_for_its_call_and_time_once_and_no_other_does() {
        let secret = TokenDesk::draw_secret(TokenAlgorithm::EdDSA, "a");
        let desk = TokenDesk::of(TokenAlgorithm::EdDSA, &secret);
        let head = json!({"alg": "EdDSA", "kid": TOKEN_KEY_ID, "typ": "JWT", "nonce": "0123456789abcdef"});
        let good = token(&secret, &head, &claims());
        assert_eq!(desk.admit(Some(&good), CALL, NOW), Ok(()));
        assert_eq!(desk.admit(Some(&good), CALL, NOW + 1), Err("it was shown before"));
        let other = TokenDesk::of(TokenAlgorithm::EdDSA, &secret);
        assert_eq!(other.admit(Some(&good), "POST facilitator.test/verify", NOW), Err("it names another call"));
        assert_eq!(other.admit(Some(&good), CALL, NOW + LIFE_S), Err("it is not good now"));
        assert_eq!(other.admit(None, CALL, NOW), Err("no token"));
        let forged = token(&TokenDesk::draw_secret(TokenAlgorithm::EdDSA, "b"), &head, &claims());
        assert_eq!(other.admit(Some(&forged), CALL, NOW), Err("its signature does not hold"));
        for (member, value, why) in [
            ("exp", json!(NOW + 3_600), "it is not good now"),
            ("sub", json!("another"), "it names another key"),
            ("aud", json!(["another"]), "it is for somebody else"),
        ] {
            let mut changed = claims();
            changed[member] = value;
            assert_eq!(other.admit(Some(&token(&secret, &head, &changed)), CALL, NOW), Err(why), "{member}");
        }
    }

    #[test]
    fn either_algorithm_has_a_desk_of_its_own() {
        for algorithm in [TokenAlgorithm::EdDSA, TokenAlgorithm::ES256] {
            let desk = TokenDesk::of(algorithm, &TokenDesk::draw_secret(algorithm, "a"));
            assert_eq!(json!(algorithm), desk.key.algorithm());
        }
    }
}
