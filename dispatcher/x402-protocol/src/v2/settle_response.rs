//! What a facilitator answers to `/settle`, and what a server says in `PAYMENT-RESPONSE` (specification 5.3).

use serde::{Deserialize, Deserializer, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleResponse {
    pub success: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// Empty where there is none. Facilitators in the field send `null` too.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub transaction: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_failure_survives_a_round_trip() {
        let text = r#"{"success":false,"errorReason":"insufficient_funds","payer":"0x857b06519E91e3A54538791bDbb0E22373e36b66","transaction":"","network":"eip155:84532"}"#;
        let parsed: SettleResponse = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    }

    #[test]
    fn takes_null_for_what_is_absent_but_needs_success() {
        let parsed: SettleResponse = serde_json::from_str(
            r#"{"success":true,"errorReason":null,"payer":null,"transaction":null,"network":null}"#,
        )
        .unwrap();
        assert_eq!((parsed.transaction.as_str(), parsed.payer), ("", None));
        assert!(serde_json::from_str::<SettleResponse>(r#"{"transaction":"0x1","network":"eip155:8453"}"#).is_err());
    }
}
