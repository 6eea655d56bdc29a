//! `PaymentPayload`: the payment that a client sends in `PAYMENT-SIGNATURE` (specification 5.2, `scheme_exact_evm.md`).

use super::PaymentRequirements;
use crate::{
    ExactEvmPayload, Version, header,
    json::{
        self,
        members::{At, BadMember},
        shape::{Others, Path, Shape, Within},
    },
    payload::{self, PayloadError},
    scheme::exact::PAYLOAD,
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use std::collections::BTreeMap;

/// A decoded payment.
#[derive(Clone, Debug)]
pub struct PaymentPayload {
    /// The client's copy of the offer that it accepted.
    pub accepted: PaymentRequirements,
    pub exact: ExactEvmPayload,
    pub extensions: Option<Map<String, Value>>,
    /// The extensions as they were written: their numbers are the client's and not ours to spell.
    pub(crate) written: BTreeMap<String, Box<RawValue>>,
}

const SHAPE: Shape = Shape {
    members: &[
        ("x402Version", Within::Value),
        // Neither read nor passed on: a resource is the seller's to describe.
        ("resource", Within::Value),
        ("accepted", Within::Shape(&ACCEPTED)),
        ("payload", Within::Shape(&PAYLOAD)),
        ("extensions", Within::Shape(&EXTENSIONS)),
    ],
    others: Others::Refused,
};

/// Clients may add to an offer, in `extra` above all. That is neither read nor passed on.
const ACCEPTED: Shape = Shape {
    members: &[
        ("scheme", Within::Value),
        ("network", Within::Value),
        ("amount", Within::Value),
        ("asset", Within::Value),
        ("payTo", Within::Value),
        ("maxTimeoutSeconds", Within::Value),
        ("extra", Within::Shape(&EXTRA)),
    ],
    others: Others::Kept,
};

const EXTRA: Shape = Shape {
    members: &[
        ("name", Within::Value),
        ("version", Within::Value),
        ("assetTransferMethod", Within::Value),
        ("paymentFlow", Within::Value),
    ],
    others: Others::Kept,
};

const EXTENSIONS: Shape = Shape {
    members: &[
        (super::PAYMENT_IDENTIFIER, Within::Shape(&IDENTIFIER)),
        // Shown to people and never passed on: it may say what it likes.
        (super::BAZAAR, Within::Value),
    ],
    others: Others::PassedOn,
};

const IDENTIFIER: Shape = Shape { members: &[("info", Within::Shape(&INFO))], others: Others::PassedOn };
const INFO: Shape = Shape { members: &[("id", Within::Value), ("required", Within::Value)], others: Others::PassedOn };

impl PaymentPayload {
    pub fn from_header(header: &str) -> Result<Self, PayloadError> {
        Self::parse(&header::decode(header)?)
    }

    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        let document = payload::document(text, Version::V2, &SHAPE)?;
        let root = At { node: Some(&document), path: &Path::ROOT };
        root.member("resource", |at| at.if_not_null().map_or(Ok(()), |at| at.object().map(drop)))?;
        let accepted = root.member("accepted", |at| read_accepted(&at))?;
        let exact = payload::exact(&root)?;
        let extensions = root.member("extensions", |at| at.if_not_null().map(|at| read_extensions(&at)).transpose())?;
        let written = if extensions.is_some() { written(text)? } else { BTreeMap::new() };
        Ok(Self { accepted, exact, extensions, written })
    }
}

fn read_accepted(at: &At<'_>) -> Result<PaymentRequirements, BadMember> {
    at.object()?;
    Ok(PaymentRequirements {
        scheme: at.text_at("scheme")?,
        network: at.text_at("network")?,
        amount: at.text_at("amount")?,
        asset: at.text_at("asset")?,
        pay_to: at.text_at("payTo")?,
        max_timeout_seconds: at.member("maxTimeoutSeconds", |at| at.number())?,
        extra: at.member("extra", |at| at.if_not_null().map(|at| at.map()).transpose())?,
    })
}

/// Each is an object of its own, or `null` where a client writes all that it knows of.
fn read_extensions(at: &At<'_>) -> Result<Map<String, Value>, BadMember> {
    let mut read = Map::new();
    for (name, _) in at.object()? {
        if let Some(extension) = at.member(name, |at| at.if_not_null().map(|at| at.map()).transpose())? {
            read.insert(name.clone(), Value::Object(extension));
        }
    }
    Ok(read)
}

fn written(text: &str) -> Result<BTreeMap<String, Box<RawValue>>, PayloadError> {
    #[derive(Deserialize)]
    struct Wire {
        extensions: BTreeMap<String, Box<RawValue>>,
    }
    let Wire { extensions } =
        json::read(text).map_err(|error| PayloadError::NotJson { line: error.line(), column: error.column() })?;
    Ok(extensions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VECTOR: &str = include_str!("../../testdata/eip3009-vector.json");

    fn refused(from: &str, to: &str) -> String {
        assert!(VECTOR.contains(from), "{from}");
        PaymentPayload::parse(&VECTOR.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn takes_what_clients_add_to_an_offer_and_null_for_what_is_optional() {
        let text = VECTOR
            .replacen('{', r#"{"extensions": {"theirs": {"info": {"a": 1.0}}, "none": null},"#, 1)
            .replacen(r#""scheme":"#, r#""note": "\u00e9", "scheme":"#, 1)
            .replacen(r#""name":"#, r#""hint": {"Name": 1}, "name":"#, 1);
        let extensions = PaymentPayload::parse(&text).unwrap().extensions.unwrap();
        assert_eq!(extensions.keys().collect::<Vec<_>>(), ["theirs"]);
        let text = VECTOR.replacen('{', r#"{"extensions": null,"#, 1).replacen(
            "\"resource\": {\n  \"url\": \"http://x\"\n }",
            r#""resource": null"#,
            1,
        );
        assert_eq!(PaymentPayload::parse(&text).unwrap().extensions, None);
    }

    #[test]
    fn refuses_a_payment_that_another_reader_could_read_in_another_way() {
        for (from, to, told) in [
            (r#""value": "10000""#, r#""value": "1", "value": "10000""#, "payload.authorization.value stands"),
            (r#""value": "10000""#, r#""value": "1", "v\u0061lue": "1""#, "payload.authorization.value stands"),
            (r#""payload":"#, r#""Payload": {}, "payload":"#, "Payload differs from payload in case alone"),
            (r#""payload":"#, r#""PAYLOAD":"#, "PAYLOAD differs from payload in case alone"),
            (r#""network":"#, "\"networ\u{212a}\": 1, \"network\":", "accepted.(a name) differs from network"),
            (r#""name":"#, r#""Name": "x", "name":"#, "accepted.extra.Name differs from name"),
            (r#""resource":"#, r#""future": 1, "resource":"#, "future is not a member"),
            (r#""resource": {"#, r#""resource": {"__proto__": {}, "#, "resource.__proto__ is a name"),
            (r#""from":"#, r#""memo": null, "from":"#, "payload.authorization.memo is not a member"),
            (
                r#""resource":"#,
                r#""extensions": {"bazaar": {"a": {"b": 1, "b": 2}}}, "resource":"#,
                "extensions.bazaar.a.b stands",
            ),
            (r#""resource":"#, r#""extensions": {"Bazaar": {}}, "resource":"#, "extensions.Bazaar differs"),
            (
                r#""resource":"#,
                r#""extensions": {"payment-identifier": {"info": {"ID": "x"}}}, "resource":"#,
                "extensions.payment-identifier.info.ID differs from id",
            ),
            (
                r#""resource":"#,
                r#""extensions": {"theirs": {"a": 1, "A": 2}}, "resource":"#,
                "extensions.theirs.A differs",
            ),
            (r#""resource":"#, r#""extensions": {"theirs": 1}, "resource":"#, "extensions.theirs is not an object"),
            (r#""resource":"#, r#""extensions": [], "resource":"#, "extensions is not an object"),
            (r#""resource": {"#, r#""resource": [], "extensions": {"#, "resource is not an object"),
        ] {
            let error = refused(from, to);
            assert!(error.starts_with(told), "{to}: {error}");
        }
    }

    #[test]
    fn the_version_is_the_integer_and_no_other_number() {
        for version in ["3", "2.0", "2e0", "20e-1", "\"2\"", "null", "[2]", "18446744073709551618", "-2", "true"] {
            let error = refused(r#""x402Version": 2"#, &format!(r#""x402Version": {version}"#));
            assert!(error.starts_with("x402Version is missing"), "{version}: {error}");
        }
    }

    #[test]
    fn tells_versions_and_shapes_apart() {
        assert!(matches!(PaymentPayload::parse("{}"), Err(PayloadError::Version)));
        assert!(matches!(PaymentPayload::parse("[]"), Err(PayloadError::Version)));
        assert!(matches!(PaymentPayload::parse("{"), Err(PayloadError::NotJson { line: 1, column: 1 })));
        let error = PaymentPayload::parse(r#"{"x402Version":2}"#).unwrap_err();
        assert_eq!(error.to_string(), "accepted is missing");
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
