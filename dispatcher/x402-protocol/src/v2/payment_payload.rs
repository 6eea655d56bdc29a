//! `PaymentPayload`: what a client sends in `PAYMENT-SIGNATURE` (specification 5.2, `scheme_exact_evm.md`).

use super::PaymentRequirements;
use crate::{ExactEvmPayload, Version, header, payload, payload::PayloadError};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

/// A decoded payment.
#[derive(Clone, Debug)]
pub struct PaymentPayload {
    /// The JSON as the client sent it.
    pub text: Box<RawValue>,
    /// The client's copy of the offer it accepted.
    pub accepted: PaymentRequirements,
    pub exact: ExactEvmPayload,
    pub extensions: Option<Map<String, Value>>,
}

impl PaymentPayload {
    pub fn from_header(header: &str) -> Result<Self, PayloadError> {
        Self::parse(&header::decode(header)?)
    }

    pub fn parse(json: &str) -> Result<Self, PayloadError> {
        let (text, Wire { accepted, payload, extensions }) = payload::parse(json, Version::V2)?;
        Ok(Self { text, accepted, exact: payload, extensions })
    }
}

#[derive(Deserialize)]
struct Wire {
    accepted: PaymentRequirements,
    payload: ExactEvmPayload,
    #[serde(default)]
    extensions: Option<Map<String, Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VECTOR: &str = include_str!("../../testdata/eip3009-vector.json");

    #[test]
    fn keeps_what_it_does_not_know_wherever_it_stands() {
        let text = VECTOR
            .replacen('{', r#"{"future": [1, 2.50],"extensions": {"theirs": {"info": {"a": 1.0}}},"#, 1)
            .replacen(r#""signature":"#, r#""hint": 1e2, "signature":"#, 1)
            .replacen(r#""from":"#, r#""memo": null, "from":"#, 1)
            .replacen(r#""scheme":"#, r#""note": "\u00e9", "scheme":"#, 1);
        let payment = PaymentPayload::parse(&text).unwrap();
        assert_eq!(payment.text.get(), text.trim());
        let request = crate::facilitator_request(Version::V2, &payment.text, &payment.accepted);
        assert!(request.get().starts_with(&format!(r#"{{"x402Version":2,"paymentPayload":{},"#, text.trim())));
    }

    #[test]
    fn refuses_a_payment_that_says_a_field_twice() {
        let text = VECTOR.replacen(r#""value": "10000""#, r#""value": "1", "value": "10000""#, 1);
        assert!(matches!(PaymentPayload::parse(&text), Err(PayloadError::Shape(_))));
    }

    #[test]
    fn tells_versions_and_shapes_apart() {
        let version = VECTOR.replacen(r#""x402Version": 2"#, r#""x402Version": 3"#, 1);
        assert!(matches!(PaymentPayload::parse(&version), Err(PayloadError::Version)));
        assert!(matches!(PaymentPayload::parse("{}"), Err(PayloadError::Version)));
        assert!(matches!(PaymentPayload::parse("{"), Err(PayloadError::NotJson { line: 1, column: 1 })));
        assert!(matches!(PaymentPayload::parse(r#"{"x402Version":2}"#), Err(PayloadError::Shape(_))));
        let deep = format!(r#"{{"x402Version":2,"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(matches!(PaymentPayload::parse(&deep), Err(PayloadError::TooDeep)));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".{0,300}") {
            let _ = PaymentPayload::from_header(&header);
        }
    }
}
