//! `PaymentRequired`: what a 402 says (specification 5.1).

use crate::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    pub x402_version: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub resource: ResourceInfo,
    pub accepts: Vec<PaymentRequirements>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
}

/// The resource that is sold. The last three are newer than the specification's text; clients show them to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceInfo {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
}

/// One way to pay, as it stands on the wire; [`crate::Offer`] is its checked form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequirements {
    pub scheme: String,
    /// CAIP-2.
    pub network: String,
    /// Atomic units, decimal.
    pub amount: String,
    pub asset: String,
    pub pay_to: String,
    /// A JSON number: some clients send `60.0`.
    #[serde(serialize_with = "whole_number_without_fraction")]
    pub max_timeout_seconds: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

fn whole_number_without_fraction<S: serde::Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if seconds.fract() == 0.0 && (0.0..9e15).contains(seconds) {
        serializer.serialize_u64(*seconds as u64)
    } else {
        serializer.serialize_f64(*seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of `transports-v2/http.md`, shortened to one way to pay.
    const EXAMPLE: &str = r#"{"x402Version":2,"error":"PAYMENT-SIGNATURE header is required","resource":{"url":"https://api.example.com/premium-data","description":"Access to premium market data","mimeType":"application/json"},"accepts":[{"scheme":"exact","network":"eip155:84532","amount":"10000","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"extra":{"name":"USDC","version":"2"}}]}"#;

    #[test]
    fn the_specifications_example_survives_a_round_trip() {
        let parsed: PaymentRequired = serde_json::from_str(EXAMPLE).unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), EXAMPLE);
    }

    #[test]
    fn the_newer_fields_of_a_resource_are_kept() {
        let text = EXAMPLE.replace(
            r#""mimeType":"application/json""#,
            r#""mimeType":"application/json","serviceName":"Quotes","tags":["finance"],"iconUrl":"https://x.example/i.png""#,
        );
        let parsed: PaymentRequired = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    }

    #[test]
    fn takes_a_fractional_timeout_and_null_for_what_is_optional() {
        let text =
            EXAMPLE.replace(":60,", ":60.0,").replace(r#","version":"2"}}]"#, r#","version":"2"}}],"extensions":null"#);
        let parsed: PaymentRequired = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed.accepts[0].max_timeout_seconds, 60.0);
        assert_eq!(parsed.extensions, None);
    }
}
