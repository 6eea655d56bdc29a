//! A facilitator's answer to `/settle`, and a server's word in `PAYMENT-RESPONSE` (specification 5.3).
//!
//! Surprising constraint: it is read leniently and written strictly. A facilitator that spells an absent member in a way of
//! its own has settled all the same, and to call that a contradiction would leave a payer charged and without content.

use super::said::{said, said_or_empty};
use crate::{Address, hex};
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleResponse {
    pub success: bool,
    /// A reason that is there and no text reads as one that no reason code can be: see [`SettleResponse::UNREADABLE`].
    #[serde(default, alias = "error_reason", skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub error_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "payer")]
    pub payer: Option<String>,
    /// Empty: none is named. A hash is in lower case, with `0x` before it.
    #[serde(default, deserialize_with = "transaction")]
    pub transaction: String,
    /// Empty: none is named.
    #[serde(default, deserialize_with = "said_or_empty")]
    pub network: String,
    /// Digits, if it was a number.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub amount: Option<String>,
}

impl SettleResponse {
    /// Stands where an answer says something that is no text: a reason that is an object, say.
    pub const UNREADABLE: &'static str = super::said::UNREADABLE;
}

/// The account that an answer names. `0x` and the zero address name none.
pub(crate) fn payer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let names_one = |text: &String| text != "0x" && text.parse() != Ok(Address([0; 20]));
    Ok(said(deserializer)?.filter(names_one))
}

/// The hash of a transaction in its one spelling, if it is one. `0x` and a hash of zeros name none.
fn transaction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = said_or_empty(deserializer)?;
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
    Ok(match hex::decode::<32>(&format!("0x{digits}")) {
        Ok(hash) if hash == [0; 32] => String::new(),
        Ok(hash) => hex::encode(&hash),
        Err(_) if digits.is_empty() => String::new(),
        Err(_) => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SettleResponse {
        crate::json::read(text).unwrap()
    }

    #[test]
    fn the_specifications_failure_survives_a_round_trip() {
        let text = r#"{"success":false,"errorReason":"insufficient_funds","payer":"0x857b06519E91e3A54538791bDbb0E22373e36b66","transaction":"","network":"eip155:84532"}"#;
        assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
    }

    #[test]
    fn absence_has_many_spellings_and_success_has_none() {
        let bare = SettleResponse {
            success: true,
            error_reason: None,
            payer: None,
            transaction: String::new(),
            network: String::new(),
            amount: None,
        };
        for absent in ["null", r#""""#, r#""  ""#, "false", "[]", "{}"] {
            let text = format!(
                r#"{{"success":true,"errorReason":{absent},"payer":{absent},"transaction":{absent},"network":{absent},"amount":{absent}}}"#
            );
            assert_eq!(read(&text), bare, "{absent}");
        }
        assert_eq!(read(r#"{"success":true}"#), bare);
        let nobody = "0x0000000000000000000000000000000000000000";
        for (payer, transaction) in [("0x", "0x"), (nobody, &format!("0x{}", "0".repeat(64)))] {
            let text = format!(r#"{{"success":true,"payer":"{payer}","transaction":"{transaction}"}}"#);
            assert_eq!(read(&text), bare, "{payer}");
        }
        for success in ["", r#""success":"true","#, r#""success":1,"#, r#""success":null,"#] {
            let text = format!(r#"{{{success}"transaction":"0x1","network":"eip155:8453"}}"#);
            assert!(crate::json::read::<SettleResponse>(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_is_the_text_that_it_is_written_as() {
        let amount = |text: &str| read(&format!(r#"{{"success":true,"amount":{text}}}"#)).amount;
        for same in ["10000", "10000.0", "1e4", r#""10000""#, r#"" 10000 ""#] {
            assert_eq!(amount(same).as_deref(), Some("10000"), "{same}");
        }
        assert_eq!(amount("0").as_deref(), Some("0"));
        for other in ["-1", "0.01", "1e300", r#"["10000"]"#, "true"] {
            assert!(amount(other).is_some_and(|text| text.parse::<crate::Uint256>().is_err()), "{other}");
        }
    }

    #[test]
    fn a_hash_has_one_spelling_and_what_is_no_hash_stays_as_it_is() {
        let hash = format!("0x{}", "ab".repeat(32));
        let spelt = |text: &str| read(&format!(r#"{{"success":true,"transaction":"{text}"}}"#)).transaction;
        for text in [hash.clone(), hash.to_uppercase(), hash[2..].to_owned(), format!("0x{}", hash[2..].to_uppercase())]
        {
            assert_eq!(spelt(&text), hash);
        }
        assert_eq!(spelt("0x1234"), "0x1234");
    }

    #[test]
    fn a_reason_that_is_no_text_is_said_and_is_no_reason() {
        for reason in [r#"{"code":"insufficient_funds"}"#, r#"["insufficient_funds"]"#, "true"] {
            let text = format!(r#"{{"success":false,"errorReason":{reason}}}"#);
            assert_eq!(read(&text).error_reason.as_deref(), Some(SettleResponse::UNREADABLE), "{reason}");
        }
        let snake = read(r#"{"success":false,"error_reason":"insufficient_funds"}"#);
        assert_eq!(snake.error_reason.as_deref(), Some("insufficient_funds"));
    }
}
