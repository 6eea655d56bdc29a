//! What a `no` to `/verify` is about. Only a `no` about this payment ends the search, and only where we can follow it.
//!
//! Verifying moves no money, so to ask the next facilitator costs a call and nothing else. A reason that our own look at
//! the payment refutes says that the facilitator is ill. A reason that nobody has listed says nothing at all.

use crate::{Reason, UnixMillis, claim::Claim};

/// Two clocks may differ by this much before one of them counts as wrong.
const CLOCK_TOLERANCE_S: u64 = 60;

/// The meaning of a refusal for the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The payment, in a way that any other facilitator would see too: the search ends.
    ThePayment,
    /// The payment, by its name. Another facilitator may see it otherwise, so the next one is asked. If nobody says yes,
    /// this is what the caller hears.
    ThePaymentPerhaps,
    /// The facilitator, which is ill: it counts against its health.
    TheFacilitator,
    /// A word on what this facilitator takes, or one that nobody has listed. The next one is asked, and the caller
    /// hears nothing of it.
    Unclear,
}

/// The state of the payer's account. Every chain node tells the same.
const ACCOUNT: [&str; 12] = [
    "insufficient_funds",
    "invalid_exact_evm_insufficient_balance",
    "permit2_insufficient_balance",
    "permit2_allowance_required",
    "invalid_exact_evm_nonce_already_used",
    "invalid_exact_evm_payload_authorization_nonce_used",
    "permit2_invalid_nonce",
    "authorization_used",
    "authorization_already_used",
    "already_settled",
    "invalid_exact_evm_payload_undeployed_smart_wallet",
    "duplicate_settlement",
];

/// The payer's signature.
const SIGNATURE: [&str; 6] = [
    "invalid_exact_evm_payload_signature",
    "invalid_exact_evm_signature",
    "invalid_exact_evm_failed_to_parse_signature",
    "invalid_permit2_signature",
    "invalid_signature",
    "invalid_payload_signature",
];

/// Not yet.
const TOO_EARLY: [&str; 5] = [
    "invalid_exact_evm_payload_authorization_valid_after",
    "invalid_exact_evm_authorization_valid_after",
    "permit2_not_yet_valid",
    "permit2_payment_too_early",
    "invalid_payment_early",
];

/// No more.
const TOO_LATE: [&str; 5] = [
    "invalid_exact_evm_payload_authorization_valid_before",
    "invalid_exact_evm_authorization_valid_before",
    "permit2_deadline_expired",
    "invalid_payment_expired",
    "expired",
];

/// About the payment by name. We have checked these terms ourselves, or they rest on a simulation, or on a rule of the
/// facilitator's own.
const PERHAPS: [&str; 31] = [
    "invalid_exact_evm_payload_recipient_mismatch",
    "invalid_exact_evm_recipient_mismatch",
    "recipient_mismatch",
    "invalid_exact_evm_payload_authorization_value_mismatch",
    "invalid_exact_evm_payload_authorization_value",
    "invalid_exact_evm_payload_authorization_value_too_low",
    "invalid_exact_evm_authorization_value",
    "invalid_exact_evm_network_mismatch",
    "invalid_exact_evm_missing_eip712_domain",
    "invalid_exact_evm_token_name_mismatch",
    "invalid_exact_evm_token_version_mismatch",
    "invalid_exact_evm_transaction_simulation_failed",
    "transaction_simulation",
    "eip6492_factory_not_allowed",
    "asset_not_deployed_contract",
    "asset_mismatch",
    "chain_id_mismatch",
    "accepted_requirements_mismatch",
    "invalid_payment_amount",
    "invalid_payload",
    "invalid_payment_requirements",
    "invalid_format",
    "unsupported_payload_type",
    "invalid_permit2_spender",
    "invalid_permit2_recipient_mismatch",
    "permit2_token_mismatch",
    "permit2_amount_mismatch",
    "permit2_simulation_failed",
    "permit2_invalid_amount",
    "permit2_invalid_destination",
    "permit2_invalid_owner",
];

/// Beginnings of words for what goes wrong inside a facilitator, or between it and its chain.
const ILL: [&str; 16] = [
    "unexpected",
    "internal",
    "rate",
    "too_many",
    "rpc",
    "node",
    "timeout",
    "timed",
    "upstream",
    "provider",
    "connection",
    "network_error",
    "server_error",
    "service_unavailable",
    "facilitator_error",
    "unauthorized",
];

/// Names that carry what went wrong inside, such as `settle_exact_node_failure` and `verify_rpc_error`.
const ILL_WITHIN: [&str; 8] =
    ["_node_failure", "_node_error", "_rpc_", "_timed_out", "_timeout", "_internal_error", "rate_limit", "unexpected_"];

/// Says what a refusal by this reason is about.
#[must_use]
pub fn about(reason: &Reason, claim: &Claim, now: UnixMillis) -> About {
    let text = reason.as_str();
    let window = &claim.window;
    let or_ill = |ill: bool| if ill { About::TheFacilitator } else { About::ThePayment };
    if ACCOUNT.contains(&text) {
        About::ThePayment
    } else if SIGNATURE.contains(&text) {
        or_ill(claim.proven)
    } else if TOO_EARLY.contains(&text) {
        or_ill(now.seconds() > window.valid_after.saturating_add(CLOCK_TOLERANCE_S))
    } else if TOO_LATE.contains(&text) {
        or_ill(window.valid_before > now.seconds().saturating_add(CLOCK_TOLERANCE_S))
    } else if PERHAPS.contains(&text) {
        About::ThePaymentPerhaps
    } else if is_ill(text) {
        About::TheFacilitator
    } else {
        About::Unclear
    }
}

/// Whether it is about the payer's signature. An account's key may have signed what the account's own code refuses
/// (EIP-7702), so a `no` that our own look refutes is believed if nobody says yes.
#[must_use]
pub fn is_about_signature(reason: &Reason) -> bool {
    SIGNATURE.contains(&reason.as_str())
}

/// Whether the facilitator speaks of itself, whichever payment it was asked about.
#[must_use]
pub fn speaks_of_itself(reason: &Reason) -> bool {
    is_ill(reason.as_str())
}

fn is_ill(text: &str) -> bool {
    let begins = |word: &&str| text.strip_prefix(*word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    ILL.iter().any(begins) || ILL_WITHIN.iter().any(|part| text.contains(part))
}

#[cfg(test)]
#[path = "verify_reason_tests.rs"]
mod tests;
