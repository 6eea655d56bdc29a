//! `PaymentPayload`: the payment that a version 1 client sends in `X-PAYMENT`.

use crate::{
    ExactEvmPayload, Mismatch, Offer, Scheme, Version, header,
    json::{
        members::At,
        shape::{Others, Path, Shape, Within},
    },
    payload::{self, PayloadError},
    scheme::exact::V1_PAYLOAD,
};

/// A decoded payment. It has no copy of the offer: scheme and network are all it says.
#[derive(Clone, Debug)]
pub struct PaymentPayload {
    pub scheme: String,
    /// Version 1's name of it.
    pub network: String,
    pub exact: ExactEvmPayload,
}

const SHAPE: Shape = Shape {
    members: &[
        ("x402Version", Within::Value),
        ("scheme", Within::Value),
        ("network", Within::Value),
        ("payload", Within::Shape(&V1_PAYLOAD)),
    ],
    others: Others::Refused,
};

impl PaymentPayload {
    pub fn from_header(header: &str) -> Result<Self, PayloadError> {
        Self::parse(&header::decode(header)?)
    }

    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        let document = payload::document(text, Version::V1, &SHAPE)?;
        let root = At { node: Some(&document), path: &Path::ROOT };
        let exact = payload::exact(&root)?;
        Ok(Self { scheme: root.text_at("scheme")?, network: root.text_at("network")?, exact })
    }
}

impl Offer {
    /// Whether a version 1 payment is for this offer. It names no more than these two.
    pub fn matches_v1(&self, payment: &PaymentPayload) -> Result<(), Mismatch> {
        let check = |fits: bool, mismatch| if fits { Ok(()) } else { Err(mismatch) };
        check(payment.scheme == Scheme::Exact.name(), Mismatch::Scheme)?;
        check(payment.network == self.network.name_in(Version::V1), Mismatch::Network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const VECTOR: &str = include_str!("../../testdata/eip3009-vector.json");

    fn offer() -> Offer {
        Offer::from_requirements(&v2::PaymentPayload::parse(VECTOR).unwrap().accepted).unwrap()
    }

    /// The vector's authorization in version 1's envelope.
    fn payment(scheme: &str, network: &str) -> PaymentPayload {
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        let wire = json!({"x402Version": 1, "scheme": scheme, "network": network, "payload": vector["payload"]});
        PaymentPayload::parse(&wire.to_string()).unwrap()
    }

    #[test]
    fn the_same_authorization_is_the_same_payment_in_both_versions() {
        let (one, two) = (payment("exact", "base-sepolia"), v2::PaymentPayload::parse(VECTOR).unwrap());
        assert_eq!(offer().matches_v1(&one), Ok(()));
        assert_eq!(one.exact.transfer.key(&offer()), two.exact.transfer.key(&offer()));
    }

    #[test]
    fn the_network_goes_by_its_version_1_name() {
        assert_eq!(offer().matches_v1(&payment("exact", "base")), Err(Mismatch::Network));
        assert_eq!(offer().matches_v1(&payment("exact", "eip155:84532")), Err(Mismatch::Network));
        assert_eq!(offer().matches_v1(&payment("upto", "base-sepolia")), Err(Mismatch::Scheme));
    }

    #[test]
    fn more_than_the_price_is_enough_and_less_is_not() {
        let paid = payment("exact", "base-sepolia").exact.transfer;
        let priced = |amount: u64| Offer { amount: amount.into(), ..offer() };
        assert_eq!(priced(9_999).is_paid_by(&paid, Version::V1), Ok(()));
        assert_eq!(priced(9_999).is_paid_by(&paid, Version::V2), Err(Mismatch::Value));
        assert_eq!(priced(10_001).is_paid_by(&paid, Version::V1), Err(Mismatch::Value));
    }

    #[test]
    fn version_1_has_no_permits_and_no_members_of_version_2() {
        let permit: Value = serde_json::from_str(include_str!("../../testdata/permit2-vector.json")).unwrap();
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        let base =
            json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": vector["payload"]});
        let told = |member: &str, value: Value| {
            let mut payment = base.clone();
            payment[member] = value;
            PaymentPayload::parse(&payment.to_string()).unwrap_err().to_string()
        };
        let permit_in = "payload.permit2Authorization is not a member that a payment has";
        assert_eq!(told("payload", permit["payload"].clone()), permit_in);
        let mut null = vector["payload"].clone();
        null["permit2Authorization"] = Value::Null;
        assert_eq!(told("payload", null), permit_in);
        assert_eq!(told("accepted", vector["accepted"].clone()), "accepted is not a member that a payment has");
        assert_eq!(told("Scheme", json!("exact")), "Scheme differs from scheme in case alone");
    }

    #[test]
    fn a_version_2_payment_is_none_of_version_1() {
        assert!(matches!(PaymentPayload::parse(VECTOR), Err(PayloadError::Version)));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".{0,300}") {
            let _ = PaymentPayload::from_header(&header);
        }
    }
}
