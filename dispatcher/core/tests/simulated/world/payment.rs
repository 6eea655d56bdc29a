//! Wallets, and the payments that they sign.

use super::{PAY_TO, START_S, World};
use dispatcher_core::protocol::{Authorization, Network, Nonce, Offer, Uint256, header, hex, signature::Signer};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};

/// The world's own payer.
pub const OWN_WALLET: u8 = 7;

/// A signed payment.
pub struct Payment {
    pub header: String,
    pub json: Value,
    pub key: String,
}

impl Payment {
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Echoes a price that requires an identifier: an echo may not change what was declared.
    pub fn for_a_price_that_requires_one(mut self) -> Self {
        self.json["extensions"]["payment-identifier"]["info"]["required"] = true.into();
        Self { header: header::encode(&self.json), ..self }
    }

    /// The same authorization as a version 1 client sends it.
    pub fn in_version_1(&self) -> String {
        header::encode(&json!({
            "x402Version": 1,
            "scheme": "exact",
            "network": "base-sepolia",
            "payload": self.json["payload"],
        }))
    }

    pub fn tampered(&self, from: &str, to: &str) -> String {
        let text = self.json.to_string();
        assert!(text.contains(from), "{from} is not in {text}");
        header::encode_text(&text.replace(from, to))
    }

    pub fn with_signature_of(&self, other: &Self) -> String {
        let mut json = self.json.clone();
        json["payload"]["signature"] = other.json["payload"]["signature"].clone();
        header::encode(&json)
    }
}

impl World {
    /// The header of a wallet that signs this challenge, with some of its members changed.
    pub fn sign_in(&self, challenge: &Value, changes: &[(&str, Value)]) -> String {
        signed_in(&self.signer, challenge, changes)
    }

    /// The same by the wallet with another secret.
    pub fn sign_in_as(&self, secret: u8, challenge: &Value) -> String {
        signed_in(&wallet(secret), challenge, &[])
    }

    pub fn offer(&self) -> Offer {
        Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), PAY_TO.parse().unwrap(), 300)
    }

    pub fn sign(&self, nonce: u8) -> Payment {
        self.sign_until(nonce, START_S + 300)
    }

    pub fn sign_expired(&self, nonce: u8) -> Payment {
        self.sign_until(nonce, START_S - 1)
    }

    /// A payment that carries an identifier.
    pub fn sign_as(&self, identifier: &str, nonce: u8) -> Payment {
        self.sign_until_as(identifier, nonce, START_S + 300)
    }

    /// Good for a day, whatever the offer says.
    pub fn sign_for_long_as(&self, identifier: &str, nonce: u8) -> Payment {
        self.sign_until_as(identifier, nonce, START_S + 4_000)
    }

    /// Another payer's wallet.
    pub fn wallet(number: u8) -> Signer {
        Signer::from_secret(&[100 + number; 32]).unwrap()
    }

    /// A payment for the tenant that is paid upfront.
    pub fn sign_upfront(&self, nonce: u8) -> Payment {
        self.sign_upfront_by(&self.signer, nonce)
    }

    pub fn sign_upfront_by(&self, signer: &Signer, nonce: u8) -> Payment {
        let mut payment = self.sign_until_by(signer, nonce, START_S + 300);
        payment.json["accepted"]["extra"]["paymentFlow"] = "upfront".into();
        payment.header = header::encode(&payment.json);
        payment
    }

    fn sign_until_as(&self, identifier: &str, nonce: u8, valid_before: u64) -> Payment {
        let mut payment = self.sign_until(nonce, valid_before);
        let info = json!({"required": false, "id": identifier});
        payment.json["extensions"] = json!({"payment-identifier": {"info": info}});
        payment.header = header::encode(&payment.json);
        payment
    }

    /// By another payer than the world's own.
    pub fn sign_by(&self, other: u8, nonce: u8) -> Payment {
        self.sign_until_by(&wallet(other), nonce, START_S + 300)
    }

    fn sign_until(&self, nonce: u8, valid_before: u64) -> Payment {
        self.sign_until_by(&self.signer, nonce, valid_before)
    }

    /// A payment that opens so many seconds after the world began.
    pub fn sign_from(&self, nonce: u8, seconds: u64) -> Payment {
        self.sign_within(&self.signer, nonce, START_S + seconds, START_S + 300)
    }

    fn sign_until_by(&self, signer: &Signer, nonce: u8, valid_before: u64) -> Payment {
        self.sign_within(signer, nonce, 0, valid_before)
    }

    fn sign_within(&self, signer: &Signer, nonce: u8, valid_after: u64, valid_before: u64) -> Payment {
        let offer = self.offer();
        let authorization = Authorization {
            from: signer.address(),
            to: offer.pay_to,
            value: offer.amount,
            valid_after: Uint256::from(valid_after),
            valid_before: Uint256::from(valid_before),
            nonce: Nonce([nonce; 32]),
        };
        let signature = hex::encode(&signer.sign(&authorization.digest(&offer)));
        let json = json!({
            "x402Version": 2,
            "accepted": offer.to_requirements(),
            "payload": {"signature": signature, "authorization": authorization},
        });
        Payment { header: header::encode(&json), json, key: offer.payment_key(&authorization).to_string() }
    }
}

/// The message that a wallet shows and signs (EIP-4361), as a client sends it.
fn signed_in(signer: &Signer, challenge: &Value, changes: &[(&str, Value)]) -> String {
    let mut proof = challenge["info"].clone();
    proof["chainId"] = challenge["supportedChains"][0]["chainId"].clone();
    for (name, value) in changes {
        proof[*name] = value.clone();
    }
    proof["type"] = "eip191".into();
    proof["address"] = signer.address().to_string().into();
    let text = |name: &str| proof[name].as_str().unwrap_or_default().to_owned();
    let mut message =
        format!("{} wants you to sign in with your Ethereum account:\n{}\n\n", text("domain"), text("address"));
    let chain = text("chainId").replace("eip155:", "");
    message += &format!("\nURI: {}\nVersion: 1\nChain ID: {chain}\nNonce: {}", text("uri"), text("nonce"));
    message += &format!("\nIssued At: {}", text("issuedAt"));
    if proof["expirationTime"].is_string() {
        message += &format!("\nExpiration Time: {}", text("expirationTime"));
    }
    message += "\nResources:";
    for resource in proof["resources"].as_array().unwrap() {
        message += &format!("\n- {}", resource.as_str().unwrap());
    }
    let hash = Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{message}", message.len()));
    proof["signature"] = hex::encode(&signer.sign(&hash.into())).into();
    header::encode(&proof)
}

pub fn wallet(secret: u8) -> Signer {
    Signer::from_secret(&[secret; 32]).unwrap()
}
