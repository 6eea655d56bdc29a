//! EIP-3009 `TransferWithAuthorization`: what a payer signs, and the EIP-712 digest of it (`scheme_exact_evm.md`).
//!
//! The authorization names no resource: the same one is presentable at any tenant with the same `payTo`. Whoever takes it
//! must claim (network, asset, from, nonce) first.

use crate::text::{debug_as_text, text_on_the_wire};
use crate::{Address, Offer, Uint256, hex};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use std::{fmt, str::FromStr};

/// The 32 bytes that make an authorization unique per payer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(pub [u8; 32]);

/// All fields are strings on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    pub from: Address,
    pub to: Address,
    pub value: Uint256,
    /// Unix seconds; the transfer is valid after this moment, not at it.
    pub valid_after: Uint256,
    /// Unix seconds; the transfer is valid before this moment, not at it.
    pub valid_before: Uint256,
    pub nonce: Nonce,
}

impl Authorization {
    /// The EIP-712 digest under the domain of the offer's asset.
    #[must_use]
    pub fn digest(&self, offer: &Offer) -> [u8; 32] {
        let mut hasher = Keccak256::new();
        hasher.update([0x19, 0x01]);
        hasher.update(domain_separator(offer));
        hasher.update(self.struct_hash());
        hasher.finalize().into()
    }

    fn struct_hash(&self) -> [u8; 32] {
        let mut hasher = Keccak256::new();
        hasher.update(keccak(
            b"TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)",
        ));
        hasher.update(word(&self.from));
        hasher.update(word(&self.to));
        hasher.update(self.value.0);
        hasher.update(self.valid_after.0);
        hasher.update(self.valid_before.0);
        hasher.update(self.nonce.0);
        hasher.finalize().into()
    }
}

fn domain_separator(offer: &Offer) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    hasher.update(keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"));
    hasher.update(keccak(offer.domain_name.as_bytes()));
    hasher.update(keccak(offer.domain_version.as_bytes()));
    hasher.update(Uint256::from(offer.network.chain_id()).0);
    hasher.update(word(&offer.asset));
    hasher.finalize().into()
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

fn word(address: &Address) -> [u8; 32] {
    let mut out = [0; 32];
    out[12..].copy_from_slice(&address.0);
    out
}

impl FromStr for Nonce {
    type Err = hex::HexError;
    fn from_str(text: &str) -> Result<Self, hex::HexError> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

text_on_the_wire!(Nonce);
debug_as_text!(Nonce);

#[cfg(test)]
mod tests {
    use crate::{hex, offer::Offer, signature, v2::PaymentPayload};

    /// Signed by the official TypeScript client; viem and two Rust implementations agree on the digest.
    const VECTOR: &str = include_str!("../testdata/eip3009-vector.json");

    #[test]
    fn the_official_clients_payment_recovers_to_its_payer() {
        let payment = PaymentPayload::parse(VECTOR).unwrap();
        let offer = Offer::from_requirements(&payment.accepted).unwrap();
        let authorization = &payment.exact.authorization;
        let digest = authorization.digest(&offer);
        assert!(hex::encode(&digest).starts_with("0x4357e029") && hex::encode(&digest).ends_with("b00e2e"));
        let signature::Signature::Account(bytes) = signature::Signature::parse(&payment.exact.signature).unwrap()
        else {
            panic!("the vector's signature has 65 bytes");
        };
        assert_eq!(signature::recover(&bytes, &digest), Ok(authorization.from));
        assert_eq!(authorization.from.to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    }
}
