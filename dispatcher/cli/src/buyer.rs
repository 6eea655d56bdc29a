//! A careful buyer. Pure: what came is held against what was sent, and what to do next comes out.
//!
//! Surprising constraint: once a payment has been sent, no answer makes this buyer sign another one. Where an answer leaves open
//! whether money moved, the same payment is sent again, which cannot be charged twice.

use serde_json::Value;
use x402_protocol::{header, v2::SettleResponse};

/// The answer to a request with a payment.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// `None`: no answer, or one that broke off.
    pub status: Option<u16>,
    /// Value of `PAYMENT-RESPONSE`.
    pub receipt: Option<String>,
    /// Seconds.
    pub retry_after: Option<u64>,
    pub body: Vec<u8>,
}

/// The state of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// The content is here, and this is the transaction that paid for it.
    Bought { transaction: String },
    /// The content is here, and nothing says that it was paid for.
    WithoutReceipt,
    /// It was said that no money moved.
    Refused { why: String },
    /// It was paid for before, and is not handed out again.
    Spent { transaction: String },
    /// Money may have moved: the same payment is to be sent again, in so many seconds.
    Open { why: String, wait: u64, may_have_moved: bool },
}

const DEFAULT_WAIT_S: u64 = 2;
const LONGEST_WAIT_S: u64 = 30;

/// Codes of 4xx and 5xx that say that nothing was charged by this answer, and that the same payment may come again.
const TURNED_AWAY: [&str; 5] =
    ["facilitators_unavailable", "not_selling", "rate_limited", "tenant_directory_unavailable", "request_incomplete"];

/// Codes of a 402 that say nothing of the payment which was sent.
const UNREASONED: [&str; 2] = ["", "payment_required"];

#[must_use]
pub fn judge(came: &Came) -> Stand {
    let receipt = came.receipt.as_deref().and_then(|text| header::decode(text).ok());
    let receipt = receipt.and_then(|text| serde_json::from_str::<SettleResponse>(&text).ok());
    let body: Value = serde_json::from_slice(&came.body).unwrap_or_default();
    let code = body["error"]["code"].as_str().or(body["code"].as_str()).or(body["error"].as_str()).unwrap_or_default();
    let transaction = receipt.as_ref().map(|receipt| receipt.transaction.clone()).filter(|hash| !hash.is_empty());
    let wait = came.retry_after.unwrap_or(DEFAULT_WAIT_S).clamp(1, LONGEST_WAIT_S);
    let open = |why: String, may_have_moved| Stand::Open { why, wait, may_have_moved };
    let Some(status) = came.status else { return open("no answer".to_owned(), true) };
    let success = receipt.as_ref().map(|receipt| receipt.success);
    match status {
        200..300 => match (success, transaction) {
            (Some(true), Some(transaction)) => Stand::Bought { transaction },
            // A success without a transaction is none, and a failure beside content is a contradiction.
            _ => Stand::WithoutReceipt,
        },
        409 => match transaction {
            Some(transaction) => Stand::Spent { transaction },
            None => Stand::Refused { why: reason(code, "409") },
        },
        429 => open(reason(code, "429"), false),
        500.. => open(reason(code, &status.to_string()), !TURNED_AWAY.contains(&code)),
        // Whoever says no and names a transaction says two things.
        402 if success == Some(true) || transaction.is_some() => open("402 with a transaction".to_owned(), true),
        // A server that lost the settlement's answer bills anew, and money may have moved.
        402 if success.is_none() && UNREASONED.contains(&code) => open("402 without a reason".to_owned(), true),
        _ => Stand::Refused { why: reason(code, &status.to_string()) },
    }
}

fn reason(code: &str, status: &str) -> String {
    if code.is_empty() { status.to_owned() } else { format!("{status} {code}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn came(status: u16, receipt: Option<Value>, body: &str) -> Came {
        let receipt = receipt.map(|receipt| header::encode(&receipt));
        Came { status: Some(status), receipt, retry_after: None, body: body.as_bytes().to_vec() }
    }

    fn hash() -> String {
        format!("0x{}", "ab".repeat(32))
    }

    #[test]
    fn content_with_a_receipt_is_bought() {
        let receipt = json!({"success": true, "transaction": hash(), "network": "eip155:84532"});
        assert_eq!(judge(&came(200, Some(receipt), "x")), Stand::Bought { transaction: hash() });
        assert_eq!(judge(&came(200, None, "x")), Stand::WithoutReceipt);
        let none = json!({"success": true, "transaction": "", "network": "eip155:84532"});
        assert_eq!(judge(&came(200, Some(none), "x")), Stand::WithoutReceipt);
    }

    #[test]
    fn what_leaves_it_open_is_asked_again_with_the_same_payment() {
        let pending = r#"{"error":{"code":"settlement_pending"}}"#;
        let moved = |stand| matches!(stand, Stand::Open { may_have_moved: true, .. });
        assert!(moved(judge(&Came::default())), "no answer");
        assert!(moved(judge(&came(503, None, pending))));
        assert!(moved(judge(&came(500, None, "<html>"))));
        assert!(moved(judge(&came(504, None, ""))));
        let contradiction = json!({"success": false, "transaction": hash(), "network": ""});
        assert!(moved(judge(&came(402, Some(contradiction), "{}"))));
        for unreasoned in ["{}", "<html>", r#"{"x402Version":1,"error":"payment_required","accepts":[]}"#] {
            assert!(moved(judge(&came(402, None, unreasoned))), "{unreasoned}");
        }
        for code in TURNED_AWAY {
            let body = json!({"error": {"code": code}}).to_string();
            assert!(matches!(judge(&came(503, None, &body)), Stand::Open { may_have_moved: false, .. }), "{code}");
        }
    }

    #[test]
    fn a_no_is_a_no_and_a_spent_payment_names_its_transaction() {
        let body = r#"{"x402Version":1,"error":"insufficient_funds","accepts":[]}"#;
        assert_eq!(judge(&came(402, None, body)), Stand::Refused { why: "402 insufficient_funds".to_owned() });
        assert_eq!(judge(&came(404, None, "")), Stand::Refused { why: "404".to_owned() });
        let spent = json!({"success": true, "transaction": hash(), "network": "eip155:84532"});
        assert_eq!(judge(&came(409, Some(spent), "{}")), Stand::Spent { transaction: hash() });
    }

    #[test]
    fn a_wait_is_as_long_as_was_asked_within_reason() {
        let wait = |retry_after| match judge(&Came { status: Some(503), retry_after, ..Came::default() }) {
            Stand::Open { wait, .. } => wait,
            other => panic!("{other:?}"),
        };
        assert_eq!([None, Some(0), Some(7), Some(9_999)].map(wait), [2, 1, 7, 30]);
    }
}
