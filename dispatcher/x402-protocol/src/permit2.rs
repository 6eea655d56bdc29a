//! Permit2 transfers (`scheme_exact_evm.md`): the payer allows x402's proxy contract one transfer to `witness.to`, and
//! signs under the Permit2 contract's own domain. Works with any token whose owner has approved the Permit2 contract.
//!
//! A nonce is used up per owner in the Permit2 contract, whatever the token: two permits for two tokens with one nonce are
//! one payment.

use crate::{
    Address, Network, Uint256, eip712,
    json::{
        members::{At, BadMember},
        shape::{Others, Shape, Within},
    },
};
use serde::{Deserialize, Serialize};

/// The Permit2 contract: one address on every chain.
pub const PERMIT2: Address = Address([
    0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0xd4, 0x73, 0x03, 0x0f, 0x11, 0x6d, 0xde, 0xe9, 0xf6, 0xb4, 0x3a, 0xc7, 0x8b,
    0xa3,
]);

/// `x402ExactPermit2Proxy`: the only spender that pays the witness and nobody else.
pub const EXACT_PROXY: Address = Address([
    0x40, 0x20, 0x85, 0xc2, 0x48, 0xee, 0xa2, 0x7d, 0x92, 0xe8, 0xb3, 0x0b, 0x2c, 0x58, 0xed, 0x07, 0xf9, 0xe2, 0x00,
    0x01,
]);

/// Numbers are decimal strings on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit2Authorization {
    pub from: Address,
    pub permitted: TokenPermissions,
    pub spender: Address,
    pub nonce: Uint256,
    /// Unix seconds, the last at which it is valid.
    pub deadline: Uint256,
    pub witness: Witness,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPermissions {
    pub token: Address,
    pub amount: Uint256,
}

const PERMITTED: Shape =
    Shape { members: &[("token", Within::Value), ("amount", Within::Value)], others: Others::Refused };
/// A witness with other members is another type to whoever hashes it.
const WITNESS: Shape =
    Shape { members: &[("to", Within::Value), ("validAfter", Within::Value)], others: Others::Refused };

/// The terms that the proxy holds the transfer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    pub to: Address,
    /// Unix seconds, the first at which it is valid.
    pub valid_after: Uint256,
}

impl Permit2Authorization {
    pub(crate) const SHAPE: Shape = Shape {
        members: &[
            ("from", Within::Value),
            ("permitted", Within::Shape(&PERMITTED)),
            ("spender", Within::Value),
            ("nonce", Within::Value),
            ("deadline", Within::Value),
            ("witness", Within::Shape(&WITNESS)),
        ],
        others: Others::Refused,
    };

    pub(crate) fn read(at: &At<'_>) -> Result<Self, BadMember> {
        at.object()?;
        Ok(Self {
            from: at.parsed_at("from")?,
            permitted: at.member("permitted", |at| {
                at.object()?;
                Ok(TokenPermissions { token: at.parsed_at("token")?, amount: at.parsed_at("amount")? })
            })?,
            spender: at.parsed_at("spender")?,
            nonce: at.parsed_at("nonce")?,
            deadline: at.parsed_at("deadline")?,
            witness: at.member("witness", |at| {
                at.object()?;
                Ok(Witness { to: at.parsed_at("to")?, valid_after: at.parsed_at("validAfter")? })
            })?,
        })
    }

    /// The EIP-712 digest under the Permit2 contract's domain, which has no version.
    #[must_use]
    pub fn digest(&self, network: Network) -> [u8; 32] {
        let domain = eip712::hash_struct(
            "EIP712Domain(string name,uint256 chainId,address verifyingContract)",
            [eip712::keccak("Permit2"), eip712::number(network.chain_id()), eip712::address(&PERMIT2)],
        );
        eip712::digest(domain, self.struct_hash())
    }

    fn struct_hash(&self) -> [u8; 32] {
        let permitted = eip712::hash_struct(
            "TokenPermissions(address token,uint256 amount)",
            [eip712::address(&self.permitted.token), self.permitted.amount.0],
        );
        let witness = eip712::hash_struct(
            "Witness(address to,uint256 validAfter)",
            [eip712::address(&self.witness.to), self.witness.valid_after.0],
        );
        eip712::hash_struct(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness \
             witness)TokenPermissions(address token,uint256 amount)Witness(address to,uint256 validAfter)",
            [permitted, eip712::address(&self.spender), self.nonce.0, self.deadline.0, witness],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Offer, Signature, Transfer, hex, signature, v2::PaymentPayload};

    /// Signed by the official TypeScript client (`@x402/evm` 2.27.0); the digest is viem's.
    const VECTOR: &str = include_str!("../testdata/permit2-vector.json");
    const DIGEST: &str = "0xcc2261e88a8340975e6be3f24560f0379faaf6fc5be663fee42c4dc9ba2bf28d";

    #[test]
    fn the_official_clients_permit_recovers_to_its_payer() {
        let payment = PaymentPayload::parse(VECTOR).unwrap();
        let offer = Offer::from_requirements(&payment.accepted).unwrap();
        let digest = payment.exact.transfer.digest(&offer);
        assert_eq!(hex::encode(&digest), DIGEST);
        let Signature::Account(bytes) = &payment.exact.signature else { panic!("65 bytes") };
        assert_eq!(signature::recover(bytes, &digest), Ok(payment.exact.transfer.from()));
        assert_eq!(offer.is_paid_by(&payment.exact.transfer, crate::Version::V2), Ok(()));
    }

    #[test]
    fn a_permit_is_keyed_by_the_contract_that_keeps_its_nonce() {
        let payment = PaymentPayload::parse(VECTOR).unwrap();
        let Transfer::Permit2(permit) = &payment.exact.transfer else { panic!("a permit") };
        let key = payment.exact.transfer.key(&Offer::from_requirements(&payment.accepted).unwrap()).to_string();
        assert!(key.starts_with("eip155:84532:0x000000000022d473030f116ddee9f6b43ac78ba3:0xf39f"), "{key}");
        assert!(key.ends_with(&hex::encode(&permit.nonce.0)), "{key}");
        assert_eq!(EXACT_PROXY.to_string(), "0x402085c248EeA27D92E8b30b2C58ed07f9E20001");
        assert_eq!(PERMIT2.to_string(), "0x000000000022D473030F116dDEE9F6B43aC78BA3");
    }
}
