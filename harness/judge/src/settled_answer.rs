//! What a `/settle` call's answer, as it left the double, allows a dispatcher to conclude.

use reports::event::{FacilitatorAnswer, FacilitatorCall};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Settled, and the answer says so without a lie.
    Settled,
    /// A refusal that leaves nothing open.
    Refused,
    /// Credentials were refused, by a word that speaks of no payment: nobody looked at it, by that word.
    Unsent,
    /// No answer, or one from which the outcome does not follow.
    Unknown,
}

impl Conclusion {
    pub fn of(call: &FacilitatorCall) -> Self {
        let FacilitatorAnswer::Sent { status, ok, reason, transaction, .. } = &call.answer else {
            return Self::Unknown;
        };
        let fault = call.fault.as_ref().map(|fault| fault.inject.as_str());
        let lied = fault == Some("lie");
        let names_transaction = transaction.as_deref().is_some_and(|transaction| !transaction.is_empty());
        match ok {
            Some(false) | None if !names_transaction && is_about_credentials(*status, *ok, reason.as_deref()) => {
                Self::Unsent
            }
            Some(true) if lied || !(200..300).contains(status) => Self::Unknown,
            Some(true) => Self::Settled,
            // The double has moved the money before it said no, or knew that it had.
            Some(false) if fault.is_some_and(|inject| CONTRADICTS.contains(&inject)) => Self::Unknown,
            Some(false) if names_transaction || *status >= 500 || !is_closed(reason.as_deref()) => Self::Unknown,
            Some(false) => Self::Refused,
            None => Self::Unknown,
        }
    }
}

/// Whether it is a 401 or 403 that says nothing of a payment, or that says the same in its body.
fn is_about_credentials(status: u16, ok: Option<bool>, reason: Option<&str>) -> bool {
    let says_so = reason.is_some_and(|reason| reason.contains("unauthorized") || reason.contains("forbidden"));
    matches!(status, 401 | 403) && (ok.is_none() || says_so)
}

/// Faults under which a no is said of what was done.
const CONTRADICTS: [&str; 2] = ["settle-then-decline", "forget"];

/// Whether the reason is one that can be known before anything is sent. Everything else may come after: a lack of funds may be the
/// transfer's own effect, and a time-out or a node's failure says nothing. The judges' own list, on purpose not shared with the
/// dispatcher's.
fn is_closed(reason: Option<&str>) -> bool {
    const OF_THE_PAYMENT: [&str; 12] = [
        "invalid_payload",
        "x402_version",
        "scheme",
        "network",
        "payment_requirements",
        "payload_type",
        "missing_eip712_domain",
        "asset_not_deployed",
        "mismatch",
        "signature",
        "undeployed_smart_wallet",
        "spender",
    ];
    const OF_ITS_WINDOW: [&str; 4] = ["valid_after", "valid_before", "not_yet_valid", "deadline_expired"];
    let Some(reason) = reason else { return false };
    let is_code = reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_code && OF_THE_PAYMENT.iter().chain(&OF_ITS_WINDOW).any(|closed| reason.contains(closed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Said, Story, fault};

    fn of(said: Said, inject: Option<&str>) -> Conclusion {
        let told = Story::new().settle_with("p1", "primary", said, |call| call.fault = inject.map(fault)).history();
        let (_, calls) = told.settles().next().expect("one was told");
        Conclusion::of(&calls[0])
    }

    fn no(reason: Option<&'static str>) -> Said {
        Said::Sent(200, Some(false), reason)
    }

    #[test]
    fn only_what_can_be_known_before_anything_is_sent_is_a_refusal() {
        for closed in ["unsupported_scheme", "invalid_exact_evm_payload_authorization_valid_before", "invalid_network"]
        {
            assert_eq!(of(no(Some(closed)), None), Conclusion::Refused, "{closed}");
            assert_eq!(of(no(Some(closed)), Some("settle-then-decline")), Conclusion::Unknown, "{closed}");
            assert_eq!(of(Said::Sent(502, Some(false), Some(closed)), None), Conclusion::Unknown, "{closed}");
        }
        for open in ["insufficient_funds", "settle_exact_node_failure", "the network is down", "", "nonce_already_used"]
        {
            assert_eq!(of(no(Some(open)), None), Conclusion::Unknown, "{open}");
        }
        assert_eq!(of(no(None), None), Conclusion::Unknown);
    }

    #[test]
    fn refused_credentials_say_nothing_of_the_payment() {
        for status in [401, 403] {
            assert_eq!(of(Said::Sent(status, None, None), None), Conclusion::Unsent, "{status}");
            assert_eq!(of(Said::Sent(status, Some(false), Some("unauthorized")), None), Conclusion::Unsent, "{status}");
            let of_funds = Said::Sent(status, Some(false), Some("insufficient_funds"));
            assert_eq!(of(of_funds, None), Conclusion::Unknown, "{status}");
        }
        assert_eq!(of(Said::Sent(404, None, None), None), Conclusion::Unknown);
    }
}
