//! EIP-3009 `TransferWithAuthorization`: what a payer signs, and the EIP-712 digest of it (`scheme_exact_evm.md`).
//!
//! The authorization names no resource: the same one is presentable at any tenant with the same `payTo`. Whoever takes it
//! must claim (network, asset, from, nonce) first.

use crate::text::{debug_as_text, text_on_the_wire};
use crate::{
    Address, Offer, Uint256, eip712, hex,
    json::{
        members::{At, BadMember},
        shape::{Others, Shape, Within},
    },
};
use serde::{Deserialize, Serialize};
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
    pub(crate) const SHAPE: Shape = Shape {
        members: &[
            ("from", Within::Value),
            ("to", Within::Value),
            ("value", Within::Value),
            ("validAfter", Within::Value),
            ("validBefore", Within::Value),
            ("nonce", Within::Value),
        ],
        others: Others::Refused,
    };

    pub(crate) fn read(at: &At<'_>) -> Result<Self, BadMember> {
        at.object()?;
        Ok(Self {
            from: at.parsed_at("from")?,
            to: at.parsed_at("to")?,
            value: at.parsed_at("value")?,
            valid_after: at.parsed_at("validAfter")?,
            valid_before: at.parsed_at("validBefore")?,
            nonce: at.parsed_at("nonce")?,
        })
    }

    /// The EIP-712 digest under the domain of the offer's asset.
    #[must_use]
    pub fn digest(&self, offer: &Offer) -> [u8; 32] {
        let domain = eip712::hash_struct(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            [
                eip712::keccak(&offer.domain_name),
                eip712::keccak(&offer.domain_version),
                eip712::number(offer.network.chain_id()),
                eip712::address(&offer.asset),
            ],
        );
        eip712::digest(domain, self.struct_hash())
    }

    fn struct_hash(&self) -> [u8; 32] {
        eip712::hash_struct(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)",
            [
                eip712::address(&self.from),
                eip712::address(&self.to),
                self.value.0,
                self.valid_after.0,
                self.valid_before.0,
                self.nonce.0,
            ],
        )
    }
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
        let digest = payment.exact.transfer.digest(&offer);
        assert!(hex::encode(&digest).starts_with("0x4357e029") && hex::encode(&digest).ends_with("b00e2e"));
        let signature::Signature::Account(bytes) = &payment.exact.signature else {
            panic!("the vector's signature has 65 bytes");
        };
        assert_eq!(signature::recover(bytes, &digest), Ok(payment.exact.transfer.from()));
        assert_eq!(payment.exact.transfer.from().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    }
}
