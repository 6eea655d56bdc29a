//! What a `/settle` call's answer, as it left the double, allows a dispatcher to conclude.

use reports::event::{FacilitatorAnswer, FacilitatorCall};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Settled, and the answer says so without a lie.
    Settled,
    /// A refusal that leaves nothing open.
    Refused,
    /// No answer, or one from which the outcome does not follow.
    Unknown,
}

impl Conclusion {
    pub fn of(call: &FacilitatorCall) -> Self {
        let FacilitatorAnswer::Sent { status, ok, reason, transaction, .. } = &call.answer else {
            return Self::Unknown;
        };
        let lied = call.fault.as_ref().is_some_and(|fault| fault.inject == "lie");
        match ok {
            Some(true) if lied || !(200..300).contains(status) => Self::Unknown,
            Some(true) => Self::Settled,
            Some(false) if leaves_open(reason.as_deref()) || transaction.as_deref().is_some_and(|t| !t.is_empty()) => {
                Self::Unknown
            }
            Some(false) => Self::Refused,
            None => Self::Unknown,
        }
    }
}

/// Said of payments that may have been settled. The judges' own list, on purpose not shared with the dispatcher's.
fn leaves_open(reason: Option<&str>) -> bool {
    const OPEN: [&str; 5] =
        ["settlement_pending", "nonce_already_used", "unexpected", "transaction_failed", "invalid_transaction_state"];
    reason.is_none_or(|reason| OPEN.iter().any(|open| reason.contains(open)))
}
