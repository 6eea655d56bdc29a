//! `PaymentPayload`: what a client sends in `PAYMENT-SIGNATURE` (specification 5.2, `scheme_exact_evm.md`).
//!
//! The JSON text is kept as the client sent it and goes to facilitators verbatim: fields we do not know survive, and a
//! retry is byte for byte the same. What we decide on is parsed from that text with duplicate keys refused, so that a
//! facilitator cannot read another payment out of it than we did.

use super::{PaymentRequirements, VERSION};
use crate::{Authorization, header};
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

/// The EIP-3009 form of an `exact` payment on EVM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ExactEvmPayload {
    pub signature: String,
    pub authorization: Authorization,
}

/// Why a header is no payment. The text names what is wrong and where, and repeats nothing of the header.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    #[error(transparent)]
    Header(#[from] header::HeaderError),
    #[error("payment is not JSON: line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("x402Version is {0}, not {VERSION}")]
    Version(Value),
    #[error("x402Version is missing")]
    NoVersion,
    #[error("payment has another shape than an EIP-3009 payment: {0}")]
    Shape(String),
}

impl PaymentPayload {
    pub fn from_header(header: &str) -> Result<Self, PayloadError> {
        Self::parse(&header::decode(header)?)
    }

    pub fn parse(json: &str) -> Result<Self, PayloadError> {
        // Parsed whole first, because this is what bounds the depth (serde_json stops at 128) of what we pass on.
        let value: Value = serde_json::from_str(json)
            .map_err(|error| PayloadError::NotJson { line: error.line(), column: error.column() })?;
        match value.get("x402Version") {
            None => return Err(PayloadError::NoVersion),
            Some(version) if version.as_u64() == Some(VERSION) => {}
            Some(version) => return Err(PayloadError::Version(version.clone())),
        }
        let shape = |error: serde_json::Error| PayloadError::Shape(error.to_string());
        let wire: Wire = serde_json::from_str(json).map_err(shape)?;
        Ok(Self {
            text: RawValue::from_string(json.to_owned()).map_err(shape)?,
            accepted: wire.accepted,
            exact: wire.payload,
            extensions: wire.extensions,
        })
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
    fn keeps_what_it_does_not_know() {
        let text = VECTOR.replacen('{', r#"{"future": [1, 2.50],"#, 1);
        let payment = PaymentPayload::parse(&text).unwrap();
        assert_eq!(payment.text.get(), text.trim());
    }

    #[test]
    fn refuses_a_payment_that_says_a_field_twice() {
        let text = VECTOR.replacen(r#""value": "10000""#, r#""value": "1", "value": "10000""#, 1);
        assert!(matches!(PaymentPayload::parse(&text), Err(PayloadError::Shape(_))));
    }

    #[test]
    fn tells_versions_and_shapes_apart() {
        let version = VECTOR.replacen(r#""x402Version": 2"#, r#""x402Version": 3"#, 1);
        assert!(matches!(PaymentPayload::parse(&version), Err(PayloadError::Version(_))));
        assert!(matches!(PaymentPayload::parse("{}"), Err(PayloadError::NoVersion)));
        assert!(matches!(PaymentPayload::parse("{"), Err(PayloadError::NotJson { line: 1, column: 1 })));
        assert!(matches!(PaymentPayload::parse(r#"{"x402Version":2}"#), Err(PayloadError::Shape(_))));
        let deep = format!(r#"{{"x402Version":2,"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(matches!(PaymentPayload::parse(&deep), Err(PayloadError::NotJson { .. })));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".{0,300}") {
            let _ = PaymentPayload::from_header(&header);
        }
    }
}
