//! Why a payment was refused, in a facilitator's word. Reasons are opaque and come from outside: only what has the shape
//! of a reason code is ever repeated to a caller or a log.

use crate::seeded::{self, Bug};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest reason code repeated. The longest in the specification has 68 characters.
const MAX_REASON_CHARS: usize = 80;

/// A reason code: lower-case letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason(String);

impl Reason {
    /// What stands in for a reason that is absent or has no reason's shape.
    const UNSTATED: &'static str = "unstated_reason";

    #[must_use]
    pub fn from_outside(text: Option<&str>) -> Self {
        let text = text.unwrap_or_default().to_ascii_lowercase();
        let fits = !text.is_empty()
            && text.len() <= MAX_REASON_CHARS
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        Self(if fits { text } else { Self::UNSTATED.to_owned() })
    }

    #[must_use]
    pub fn ours(code: &'static str) -> Self {
        Self(code.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The payer has yet to approve the Permit2 contract on chain: signing anew would not help.
    #[must_use]
    pub fn asks_for_allowance(&self) -> bool {
        self.0 == "permit2_allowance_required"
    }

    /// "Not yet": the one reason that the specification's drafts and every facilitator in use agree on.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.0.contains("settlement_pending")
    }

    /// Whether no settlement of this payload can have happened or can happen, however often it was tried before.
    ///
    /// Only what is wrong with the payload itself proves that. A lack of funds may be the effect of the very settlement
    /// whose answer was lost; "expired" and "simulation failed" are said of settled payments too; "nonce already used"
    /// means "settled, reconcile". Unlisted reasons prove nothing.
    #[must_use]
    pub fn proves_never_settled(&self) -> bool {
        const PROOFS: [&str; 13] = [
            "invalid_exact_evm_payload_signature",
            "invalid_exact_evm_signature",
            "invalid_exact_evm_payload_recipient_mismatch",
            "invalid_exact_evm_recipient_mismatch",
            "invalid_exact_evm_payload_authorization_value_mismatch",
            "invalid_exact_evm_network_mismatch",
            "invalid_payload",
            "invalid_signature",
            "invalid_permit2_signature",
            "invalid_permit2_spender",
            "invalid_permit2_recipient_mismatch",
            "permit2_token_mismatch",
            "permit2_amount_mismatch",
        ];
        PROOFS.contains(&self.as_str())
            || seeded::has(Bug::NonceUsedTakenForRefusal) && self.0.contains("nonce_already_used")
    }

    /// Whether a first refusal with this reason leaves it open that money moved.
    ///
    /// A used nonce may have been used by this very payment, at another facilitator or in another life of the ledger;
    /// "unexpected" errors and failed transactions happen after a transaction was sent.
    #[must_use]
    pub fn leaves_outcome_open(&self) -> bool {
        let text = self.as_str();
        self.is_pending()
            || text.contains("nonce_already_used") && !seeded::has(Bug::NonceUsedTakenForRefusal)
            || text.contains("authorization_used")
            || text.contains("permit2_invalid_nonce")
            || text.contains("already_settled")
            || text.contains("duplicate_settlement")
            || text.contains("unexpected")
            || text.contains("transaction_failed")
            || text.contains("invalid_transaction_state")
            || text.contains("transfer_event_mismatch")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_only_what_has_the_shape_of_a_reason() {
        assert_eq!(Reason::from_outside(Some("insufficient_funds")).as_str(), "insufficient_funds");
        for text in [None, Some(""), Some("<script>"), Some("no\r\nheader: x"), Some(&"a".repeat(81))] {
            assert_eq!(Reason::from_outside(text).as_str(), "unstated_reason", "{text:?}");
        }
    }

    #[test]
    fn a_lack_of_funds_is_final_at_first_but_no_proof_after_a_lost_answer() {
        let reason = Reason::from_outside(Some("insufficient_funds"));
        assert!(!reason.leaves_outcome_open() && !reason.proves_never_settled());
    }
}
