//! The `payload` of an `exact` payment on EVM: a signed transfer, in either of the two ways in which a token can be moved
//! for its owner.

use crate::{
    Address, Authorization, Nonce, Offer, PaymentKey, Signature, Uint256,
    json::{
        members::{At, BadMember},
        shape::{Others, Shape, Within},
    },
    permit2::{PERMIT2, Permit2Authorization},
};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

/// The same in both generations. Written, it has the one spelling that its values have, whatever the client's was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactEvmPayload {
    pub signature: Signature,
    pub transfer: Transfer,
}

/// In version 2. No client in use sends other members, and `null` is a member: to the reference facilitator it makes a
/// payment one by permit.
pub(crate) const PAYLOAD: Shape = Shape {
    members: &[
        ("signature", Within::Value),
        ("authorization", Within::Shape(&Authorization::SHAPE)),
        ("permit2Authorization", Within::Shape(&Permit2Authorization::SHAPE)),
    ],
    others: Others::Refused,
};

/// In version 1, which knows no permits.
pub(crate) const V1_PAYLOAD: Shape = Shape {
    members: &[("signature", Within::Value), ("authorization", Within::Shape(&Authorization::SHAPE))],
    others: Others::Refused,
};

/// The message that the payer signed.
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

    /// The hash that an externally owned account signs, for the offer's token and chain.
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

impl ExactEvmPayload {
    /// Both transfers at once would leave it to each reader which one was meant.
    pub(crate) fn read(at: &At<'_>) -> Result<Self, BadMember> {
        at.object()?;
        let is_there = |name| at.member(name, |at| at.is_there());
        let transfer = match (is_there("authorization"), is_there("permit2Authorization")) {
            (true, false) => Transfer::Eip3009(at.member("authorization", |at| Authorization::read(&at))?),
            (false, true) => {
                Transfer::Permit2(at.member("permit2Authorization", |at| Permit2Authorization::read(&at))?)
            }
            (false, false) => return Err(at.bad("has neither authorization nor permit2Authorization")),
            (true, true) => return Err(at.bad("has both authorization and permit2Authorization")),
        };
        Ok(Self { signature: at.parsed_at("signature")?, transfer })
    }
}

impl Serialize for ExactEvmPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = serializer.serialize_struct("ExactEvmPayload", 2)?;
        wire.serialize_field("signature", &self.signature.to_string())?;
        match &self.transfer {
            Transfer::Eip3009(authorization) => wire.serialize_field("authorization", authorization)?,
            Transfer::Permit2(permit) => wire.serialize_field("permit2Authorization", permit)?,
        }
        wire.end()
    }
}

#[cfg(test)]
mod tests {
    use crate::v2::PaymentPayload;
    use serde_json::{Value, json};

    const EIP3009: &str = include_str!("../../testdata/eip3009-vector.json");
    const PERMIT2: &str = include_str!("../../testdata/permit2-vector.json");

    fn vector(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn error(payload: Value) -> String {
        let mut payment = vector(EIP3009);
        payment["payload"] = payload;
        PaymentPayload::parse(&payment.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn a_payload_is_one_transfer_and_no_other_kind() {
        let (authorization, permit) = (vector(EIP3009)["payload"].clone(), vector(PERMIT2)["payload"].clone());
        assert_eq!(error(json!({"signature": "0x"})), "payload has neither authorization nor permit2Authorization");
        assert!(error(json!({"delegationManager": "0x1"})).starts_with("payload.delegationManager is not"));
        for null in ["authorization", "permit2Authorization"] {
            let mut both = if null == "authorization" { permit.clone() } else { authorization.clone() };
            both[null] = Value::Null;
            assert_eq!(error(both), "payload has both authorization and permit2Authorization");
        }
    }

    #[test]
    fn an_error_names_the_member_and_repeats_none_of_it() {
        let changed = |pointer: &str, value: Value| {
            let mut payload = vector(EIP3009)["payload"].clone();
            *payload.pointer_mut(pointer).unwrap() = value;
            error(payload)
        };
        assert_eq!(changed("/authorization/value", json!(10_000)), "payload.authorization.value is not text");
        assert_eq!(
            changed("/authorization/nonce", json!("0x01")),
            "payload.authorization.nonce has 2 hex digits, not 64"
        );
        assert!(changed("/signature", json!("0x")).starts_with("payload.signature has 0 bytes"));
    }

    #[test]
    fn a_payload_is_written_as_the_official_client_writes_it() {
        for text in [EIP3009, PERMIT2] {
            let written = serde_json::to_value(PaymentPayload::parse(text).unwrap().exact).unwrap();
            assert_eq!(written, vector(text)["payload"]);
        }
    }
}
