//! The body of `/verify` and `/settle`, which is the same envelope in both generations (specification 7.1, 7.2).
//!
//! Surprising constraint: nothing of it is the client's text but the content of its extensions. The rest is written anew
//! from the values that were checked, in one spelling, so that no facilitator can read another payment than we did. It is
//! stored with the payment, and sent byte for byte at every attempt.

use crate::{
    ExactEvmPayload, Offer, Version, v1,
    v2::{self, BAZAAR, PAYMENT_IDENTIFIER, PaymentRequirements, ResourceInfo},
};
use serde::Serialize;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};
use std::collections::BTreeMap;

/// The one extension that goes on though it was not offered. Any other goes on only if the seller declared it: a strict
/// facilitator refuses what it does not know, and libraries have been seen to throw at what a buyer put into the rest.
pub const FORWARDED_EXTENSIONS: [&str; 1] = [PAYMENT_IDENTIFIER];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FacilitatorRequest<'a, P, R> {
    x402_version: Version,
    payment_payload: P,
    payment_requirements: &'a R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct V2Payload<'a> {
    x402_version: Version,
    resource: &'a ResourceInfo,
    accepted: &'a PaymentRequirements,
    payload: &'a ExactEvmPayload,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<&'a str, &'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct V1Payload<'a> {
    x402_version: Version,
    scheme: &'a str,
    network: &'a str,
    payload: &'a ExactEvmPayload,
}

/// The question about a version 2 payment that fits this offer. Resource and requirements are the seller's own, and so is
/// the extension by which facilitators list it: a buyer must not list a seller under another address or name.
#[must_use]
pub fn v2_request(
    payment: &v2::PaymentPayload,
    offer: &Offer,
    resource: &ResourceInfo,
    declared: Option<&Map<String, Value>>,
) -> Box<RawValue> {
    let requirements = offer.to_requirements();
    let listing = declared.and_then(|declared| declared.get(BAZAAR)).map(written);
    let goes_on = |name: &str| {
        name != BAZAAR
            && (FORWARDED_EXTENSIONS.contains(&name) || declared.is_some_and(|declared| declared.contains_key(name)))
    };
    let sent = payment.extensions.iter().flat_map(Map::keys).filter(|name| goes_on(name));
    let mut extensions: BTreeMap<&str, &RawValue> =
        sent.filter_map(|name| Some((name.as_str(), &**payment.written.get(name)?))).collect();
    extensions.extend(listing.as_deref().map(|listing| (BAZAAR, listing)));
    written(&FacilitatorRequest {
        x402_version: Version::V2,
        payment_payload: V2Payload {
            x402_version: Version::V2,
            resource,
            accepted: &requirements,
            payload: &payment.exact,
            extensions,
        },
        payment_requirements: &requirements,
    })
}

/// The question about a version 1 payment that fits these requirements.
#[must_use]
pub fn v1_request(payment: &v1::PaymentPayload, requirements: &v1::PaymentRequirements) -> Box<RawValue> {
    written(&FacilitatorRequest {
        x402_version: Version::V1,
        payment_payload: V1Payload {
            x402_version: Version::V1,
            scheme: &requirements.scheme,
            network: &requirements.network,
            payload: &payment.exact,
        },
        payment_requirements: requirements,
    })
}

fn written(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("wire types have string keys and no failing serializers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2::PaymentPayload;
    use serde_json::json;

    const VECTOR: &str = include_str!("../testdata/eip3009-vector.json");

    fn resource() -> ResourceInfo {
        ResourceInfo { url: "https://acme.example/quote".to_owned(), ..ResourceInfo::default() }
    }

    fn asked(text: &str, declared: Option<Value>) -> String {
        let payment = PaymentPayload::parse(text).unwrap();
        let offer = Offer::from_requirements(&PaymentPayload::parse(VECTOR).unwrap().accepted).unwrap();
        let declared = declared.map(|declared| declared.as_object().unwrap().clone());
        v2_request(&payment, &offer, &resource(), declared.as_ref()).get().to_owned()
    }

    #[test]
    fn whatever_a_client_adds_respells_or_describes_the_question_is_the_same() {
        let plain = asked(VECTOR, None);
        let from = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        for (of, to) in [
            (r#""x402Version""#.to_owned(), r#""x402\u0056ersion""#.to_owned()),
            ("http://x".to_owned(), "https://elsewhere.example/".to_owned()),
            (r#""name":"#.to_owned(), r#""mine": [1e2], "name":"#.to_owned()),
            (r#""scheme":"#.to_owned(), r#""mine": 1, "scheme":"#.to_owned()),
            (from.to_owned(), from.to_lowercase()),
            (from.to_owned(), format!("0x{}", from[2..].to_uppercase())),
            ("04ec4d04".to_owned(), "04EC4D04".to_owned()),
            ("b15edd9d".to_owned(), "B15EDD9D".to_owned()),
            ("60,".to_owned(), "60.0,".to_owned()),
            (
                r#""resource":"#.to_owned(),
                r#""extensions": {"theirs": {"a": 1}, "bazaar": {"info": {}}}, "resource":"#.to_owned(),
            ),
        ] {
            assert!(VECTOR.contains(&of));
            assert_eq!(asked(&VECTOR.replacen(&of, &to, 1), None), plain, "{to}");
        }
        let question: Value = serde_json::from_str(&plain).unwrap();
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        assert_eq!(question["paymentPayload"]["payload"], vector["payload"]);
        assert_eq!(question["paymentPayload"]["accepted"], vector["accepted"]);
        assert_eq!(question["paymentRequirements"], vector["accepted"]);
        assert_eq!(question["paymentPayload"]["resource"], json!({"url": "https://acme.example/quote"}));
        assert!(question["paymentPayload"].get("extensions").is_none());
    }

    #[test]
    fn an_extension_goes_on_as_it_was_written_if_it_was_offered() {
        let sent = r#"{"bazaar": {"info": {"resource": "elsewhere"}}, "theirs": {"info": {"n": 1.50e1}},
            "eip2612GasSponsoring": {"info": {"amount":  "7", "big": 123456789012345678901}}, "stranger": {}}"#;
        let text = VECTOR.replacen('{', &format!(r#"{{"extensions": {sent},"#), 1);
        let declared = json!({"theirs": {"info": {}}, "bazaar": {"info": {"resource": "ours"}}});
        let question = asked(&text, Some(declared));
        let extensions = question.split_once(r#""extensions":"#).unwrap().1;
        assert!(
            extensions.starts_with(concat!(
                r#"{"bazaar":{"info":{"resource":"ours"}},"#,
                r#""theirs":{"info": {"n": 1.50e1}}}},"#,
            )),
            "{extensions}"
        );
        assert!(!question.contains("stranger") && !question.contains("elsewhere"));
        assert!(!question.contains("GasSponsoring"), "libraries throw at what is inside");
    }
}
