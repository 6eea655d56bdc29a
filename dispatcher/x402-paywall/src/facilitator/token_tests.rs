//! Tokens, read and checked by other implementations than the one that signs in a Worker.

use super::*;
use ed25519_dalek::{Signer as _, Verifier as _, pkcs8::DecodePrivateKey as _};
use p256::ecdsa;
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Made for these tests.
const SEED: [u8; 32] = [7; 32];
/// The same bytes as an `EC PRIVATE KEY` without its public half.
fn sec1_pem(line_end: &str) -> String {
    let der =
        [&[0x30, 0x31, 2, 1, 1, 4, 0x20][..], &SEED, &[0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]].concat();
    format!("-----BEGIN EC PRIVATE KEY-----{line_end}{}{line_end}-----END EC PRIVATE KEY-----", STANDARD.encode(der))
}

struct Native;

impl CredentialSigner for Native {
    async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(match key.algorithm {
            Algorithm::EdDSA => {
                ed25519_dalek::SigningKey::from_pkcs8_der(&key.pkcs8).unwrap().sign(message).to_bytes().to_vec()
            }
            Algorithm::ES256 => {
                let signature: ecdsa::Signature = ecdsa::SigningKey::from_pkcs8_der(&key.pkcs8).unwrap().sign(message);
                signature.to_bytes().to_vec()
            }
        })
    }

    fn nonce(&self) -> String {
        "0123456789abcdef".to_owned()
    }
}

fn token(algorithm: Algorithm, key: &str, json: Option<&str>) -> String {
    let tokens = Tokens::new("organizations/1/apiKeys/2".to_owned(), SigningKey::read(algorithm, key).unwrap());
    let url = "https://api.cdp.coinbase.com/platform/v2/x402/verify";
    let request = HttpRequest { url, headers: &[], json, timeout_ms: 1, origin: None };
    let future = tokens.made_for(&request, UnixMillis(1_800_000_000_999), &Native);
    let Poll::Ready(made) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    made.unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

fn parts(token: &str) -> (serde_json::Value, serde_json::Value, String, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let read = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(head), read(claims), signed.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn a_token_names_its_call_and_is_good_for_two_minutes() {
    let (head, claims, ..) = parts(&token(Algorithm::EdDSA, &STANDARD.encode([7; 64]), Some("{}")));
    let kid = "organizations/1/apiKeys/2";
    assert_eq!(head, json!({"alg": "EdDSA", "kid": kid, "typ": "JWT", "nonce": "0123456789abcdef"}));
    assert_eq!(
        claims,
        json!({
            "sub": kid, "iss": "cdp", "aud": ["cdp_service"], "nbf": 1_800_000_000, "exp": 1_800_000_120,
            "uris": ["POST api.cdp.coinbase.com/platform/v2/x402/verify"],
        })
    );
    let (_, claims, ..) = parts(&token(Algorithm::EdDSA, &STANDARD.encode([7; 32]), None));
    assert_eq!(claims["uris"][0], "GET api.cdp.coinbase.com/platform/v2/x402/verify");
}

#[test]
fn either_algorithms_signature_holds_under_the_key_that_was_configured() {
    let (_, _, signed, signature) = parts(&token(Algorithm::EdDSA, &STANDARD.encode([7; 64]), Some("{}")));
    let key = ed25519_dalek::SigningKey::from_bytes(&SEED).verifying_key();
    key.verify(signed.as_bytes(), &ed25519_dalek::Signature::from_slice(&signature).unwrap()).unwrap();

    for pem in [sec1_pem("\n"), sec1_pem("\\n")] {
        let (head, _, signed, signature) = parts(&token(Algorithm::ES256, &pem, Some("{}")));
        assert_eq!(head["alg"], "ES256");
        let key = *ecdsa::SigningKey::from_slice(&SEED).unwrap().verifying_key();
        key.verify(signed.as_bytes(), &ecdsa::Signature::from_slice(&signature).unwrap()).unwrap();
    }
}

#[test]
fn a_key_in_pkcs8_is_taken_as_it_is() {
    let key = SigningKey::read(Algorithm::ES256, &sec1_pem("\n")).unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&key.pkcs8));
    assert_eq!(SigningKey::read(Algorithm::ES256, &pem).unwrap(), key);
}

#[test]
fn what_is_no_key_is_refused_without_being_repeated() {
    let sealed = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n-----END PRIVATE KEY-----";
    for (algorithm, text) in [
        (Algorithm::EdDSA, "hunter2"),
        (Algorithm::EdDSA, &STANDARD.encode([7; 33])),
        (Algorithm::ES256, "hunter2"),
        (Algorithm::ES256, "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----"),
        (Algorithm::ES256, sealed),
    ] {
        let why = SigningKey::read(algorithm, text).unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
    }
    let key = SigningKey::read(Algorithm::EdDSA, &STANDARD.encode(SEED)).unwrap();
    assert_eq!(format!("{key:?}"), "EdDSA (a secret)");
}
