//! The `payload` of an `exact` payment on EVM: a signed transfer, in either of the two ways in which a token can be moved
//! for its owner.

use crate::{
    Address, Authorization, Nonce, Offer, PaymentKey, Uint256,
    permit2::{PERMIT2, Permit2Authorization},
};
use serde::{Deserialize, Serialize};

/// Of both generations.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Wire")]
pub struct ExactEvmPayload {
    pub signature: String,
    pub transfer: Transfer,
}

/// What the payer signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    Eip3009(Authorization),
    Permit2(Permit2Authorization),
}

/// How a token is moved. On the wire: `extra.assetTransferMethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferMethod {
    Eip3009,
    Permit2,
}

impl TransferMethod {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eip3009 => "eip3009",
            Self::Permit2 => "permit2",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Eip3009, Self::Permit2].into_iter().find(|method| method.name() == name)
    }
}

impl Transfer {
    #[must_use]
    pub fn method(&self) -> TransferMethod {
        match self {
            Self::Eip3009(_) => TransferMethod::Eip3009,
            Self::Permit2(_) => TransferMethod::Permit2,
        }
    }

    #[must_use]
    pub fn from(&self) -> Address {
        match self {
            Self::Eip3009(authorization) => authorization.from,
            Self::Permit2(permit) => permit.from,
        }
    }

    #[must_use]
    pub fn to(&self) -> Address {
        match self {
            Self::Eip3009(authorization) => authorization.to,
            Self::Permit2(permit) => permit.witness.to,
        }
    }

    #[must_use]
    pub fn amount(&self) -> Uint256 {
        match self {
            Self::Eip3009(authorization) => authorization.value,
            Self::Permit2(permit) => permit.permitted.amount,
        }
    }

    /// Unix seconds.
    #[must_use]
    pub fn valid_after(&self) -> Uint256 {
        match self {
            Self::Eip3009(authorization) => authorization.valid_after,
            Self::Permit2(permit) => permit.witness.valid_after,
        }
    }

    /// Unix seconds.
    #[must_use]
    pub fn valid_before(&self) -> Uint256 {
        match self {
            Self::Eip3009(authorization) => authorization.valid_before,
            Self::Permit2(permit) => permit.deadline,
        }
    }

    /// What an externally owned account signs, for the offer's token and chain.
    #[must_use]
    pub fn digest(&self, offer: &Offer) -> [u8; 32] {
        match self {
            Self::Eip3009(authorization) => authorization.digest(offer),
            Self::Permit2(permit) => permit.digest(offer.network),
        }
    }

    /// The payment that this is, whoever presents it and in whichever generation. In the asset's place stands the contract
    /// that uses up the nonce.
    #[must_use]
    pub fn key(&self, offer: &Offer) -> PaymentKey {
        match self {
            Self::Eip3009(authorization) => offer.payment_key(authorization),
            Self::Permit2(permit) => {
                PaymentKey { network: offer.network, asset: PERMIT2, from: permit.from, nonce: Nonce(permit.nonce.0) }
            }
        }
    }
}

/// Both members at once would leave it to each reader which transfer was meant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    signature: String,
    #[serde(default)]
    authorization: Option<Authorization>,
    #[serde(default)]
    permit2_authorization: Option<Permit2Authorization>,
}

impl TryFrom<Wire> for ExactEvmPayload {
    type Error = &'static str;
    fn try_from(wire: Wire) -> Result<Self, &'static str> {
        let transfer = match (wire.authorization, wire.permit2_authorization) {
            (Some(authorization), None) => Transfer::Eip3009(authorization),
            (None, Some(permit)) => Transfer::Permit2(permit),
            (None, None) => return Err("payload has neither authorization nor permit2Authorization"),
            (Some(_), Some(_)) => return Err("payload has both authorization and permit2Authorization"),
        };
        Ok(Self { signature: wire.signature, transfer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_transfer_and_no_other_kind() {
        let error = |text| serde_json::from_str::<ExactEvmPayload>(text).unwrap_err().to_string();
        assert!(error(r#"{"signature":"0x"}"#).contains("neither"));
        assert!(
            error(r#"{"delegationManager":"0x1","permissionContext":"0x","delegator":"0x2"}"#).contains("signature")
        );
        let authorization: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/eip3009-vector.json")).unwrap();
        let permit: serde_json::Value = serde_json::from_str(include_str!("../testdata/permit2-vector.json")).unwrap();
        let mut both = authorization["payload"].clone();
        both["permit2Authorization"] = permit["payload"]["permit2Authorization"].clone();
        assert!(error(&both.to_string()).contains("both"));
    }
}
