//! A facilitator's answer to `/verify` (specification 7.1), read as leniently as that to `/settle`.

use super::{said::said, settle_response::payer};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResponse {
    pub is_valid: bool,
    #[serde(default, alias = "invalid_reason", skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub invalid_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "payer")]
    pub payer: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_has_many_spellings_and_validity_has_none() {
        for absent in ["null", r#""""#, "[]", "{}", "false"] {
            let text = format!(r#"{{"isValid":true,"invalidReason":{absent},"payer":{absent}}}"#);
            let read: VerifyResponse = crate::json::read(&text).unwrap();
            assert_eq!(read, VerifyResponse { is_valid: true, invalid_reason: None, payer: None }, "{absent}");
        }
        for valid in ["1", r#""true""#, "null"] {
            assert!(crate::json::read::<VerifyResponse>(&format!(r#"{{"isValid":{valid}}}"#)).is_err(), "{valid}");
        }
    }
}
