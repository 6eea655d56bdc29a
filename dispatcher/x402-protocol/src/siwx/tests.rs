//! Held against what viem writes and signs.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Messages and signatures by viem 2.57.1.
const VECTORS: &str = include_str!("../../testdata/siwx-vectors.json");

fn vector(name: &str) -> Value {
    serde_json::from_str::<Value>(VECTORS).unwrap()[name]["payload"].clone()
}

fn told(payload: &Value) -> String {
    SignedIn::parse(&payload.to_string()).unwrap_err().to_string()
}

#[test]
fn what_a_wallet_signed_is_read_back() {
    for name in ["least", "most", "nothing_listed"] {
        let header = header::encode(&vector(name));
        let signed = SignedIn::from_header(&header).unwrap();
        assert_eq!(signed.address.to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "{name}");
        assert_eq!(signed.issued_at, 1_795_883_015_123);
    }
    let most = SignedIn::parse(&vector("most").to_string()).unwrap();
    assert_eq!((most.chain_id, most.domain.as_str()), (84532, "api.example.com:8443"));
    assert_eq!((most.expiration, most.not_before), (Some(1_795_883_315_123), Some(1_795_882_800_000)));
    assert_eq!((most.resources.len(), most.request_id.as_deref()), (2, Some("request-7")));
}

#[test]
fn the_message_is_the_one_that_the_wallet_showed() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let least = &vectors["least"];
    let message = Message {
        domain: "api.example.com",
        address: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        statement: None,
        uri: "https://api.example.com/data",
        chain_id: 8453,
        nonce: "a1b2c3d4e5f67890a1b2c3d4e5f67890",
        issued_at: "2026-11-28T16:23:35.123Z",
        expiration: None,
        not_before: None,
        request_id: None,
        resources: None,
    };
    assert_eq!(message.text(), least["message"]);
}

/// Every member is part of what was signed, so a changed one names another signer.
#[test]
fn a_changed_member_is_signed_by_nobody_we_know() {
    for (member, value) in [
        ("domain", json!("evil.example.com")),
        ("uri", json!("https://api.example.com/other")),
        ("nonce", json!("00000000000000000000000000000000")),
        ("issuedAt", json!("2026-11-28T16:23:36.123Z")),
        ("expirationTime", json!("2027-11-28T16:28:35.123Z")),
        ("expirationTime", Value::Null),
        ("notBefore", Value::Null),
        ("statement", json!("Sign in.")),
        ("requestId", json!("request-8")),
        ("resources", json!([])),
        ("resources", Value::Null),
        ("chainId", json!("eip155:8453")),
        ("address", json!("0x209693Bc6afc0C5328bA36FaF03C514EF312287C")),
    ] {
        let mut payload = vector("most");
        payload[member] = value;
        let refused = SignedIn::parse(&payload.to_string()).unwrap_err();
        assert!(matches!(refused, SignInError::AnotherSigner | SignInError::NoSigner(_)), "{member}: {refused}");
    }
}

#[test]
fn whatever_is_odd_is_refused_and_named() {
    let odd = |member: &str, value: Value| {
        let mut payload = vector("most");
        payload[member] = value;
        told(&payload)
    };
    for (member, value) in [
        ("domain", json!("")),
        ("domain", json!("api.example.com\nURI: x")),
        ("domain", json!("user@api.example.com")),
        ("domain", json!("api.example.com/path")),
        ("statement", json!("two\nlines")),
        ("statement", json!("")),
        ("uri", json!("no scheme")),
        ("uri", json!("https://api.example.com/\nVersion: 2")),
        ("nonce", json!("short")),
        ("nonce", json!("has-a-dash-in-it")),
        ("version", json!("2")),
        ("version", json!(1)),
        ("type", json!("ed25519")),
        ("chainId", json!("solana:mainnet")),
        ("chainId", json!("eip155:08453")),
        ("chainId", json!("eip155:0")),
        ("chainId", json!(8453)),
        ("issuedAt", json!("yesterday")),
        ("issuedAt", json!(1_795_883_015)),
        ("requestId", json!("a b")),
        ("resources", json!("https://api.example.com/")),
        ("resources", json!(["not a uri"])),
        ("address", json!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267")),
        ("signature", json!("0x")),
        ("signatureScheme", json!("ed25519")),
        ("Nonce", json!("a1b2c3d4e5f67890a1b2c3d4e5f67890")),
        ("chain", json!("eip155:1")),
        ("__proto__", json!({})),
    ] {
        let told = odd(member, value.clone());
        assert!(told.starts_with(member), "{member} = {value}: {told}");
    }
    let long = odd("signature", json!(format!("0x{}", "11".repeat(66))));
    assert!(long.contains("smart account"), "{long}");
    assert_eq!(SignedIn::parse("[]").unwrap_err().to_string(), "document is not an object");
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(header in ".{0,200}", member in "domain|uri|nonce|issuedAt|statement", text in ".{0,40}") {
        let _ = SignedIn::from_header(&header);
        let mut payload = vector("most");
        payload[member] = json!(text);
        let _ = SignedIn::parse(&payload.to_string());
    }
}
