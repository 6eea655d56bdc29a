//! Why a payment was refused, in a facilitator's word. Reasons are opaque and come from outside: only what has the shape
//! of a reason code is ever repeated to a caller or a log.

use crate::facilitator::verdict::Expected;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest reason code repeated. The longest in the specification has 68 characters.
const MAX_REASON_CHARS: usize = 80;

/// A reason code: lower-case letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason(String);

impl Reason {
    /// The stand-in for a reason that is absent or has no reason's shape.
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

    /// Whether the reason says that the payment's nonce is spent.
    #[must_use]
    pub fn says_spent(&self) -> bool {
        // Not "duplicate_settlement": it has the same settlement under way.
        const WORDS: [&str; 4] =
            ["nonce_already_used", "authorization_used", "permit2_invalid_nonce", "already_settled"];
        WORDS.iter().any(|word| self.0.contains(word))
    }

    /// Whether the reason says that the payer has too little.
    #[must_use]
    pub fn says_unfunded(&self) -> bool {
        self.0 == "insufficient_funds" || self.0.contains("insufficient_balance")
    }

    /// Whether the reason speaks of what we have to show to be served at all.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        const WORDS: [&str; 9] = [
            "unauthorized",
            "unauthenticated",
            "forbidden",
            "api_key",
            "apikey",
            "authentication",
            "credentials",
            "jwt",
            "access_denied",
        ];
        WORDS.iter().any(|word| self.0.contains(word))
    }

    /// Whether a facilitator that was not asked before gives this reason before it sends anything, and we know nothing to the
    /// contrary.
    ///
    /// Not on the list is what a transfer itself makes true, such as a lack of funds or a spent nonce: a facilitator that
    /// lost sight of its own transaction says so when it looks again.
    #[must_use]
    pub fn is_given_before_sending(&self, known: &Expected) -> bool {
        /// It does not serve such payments, or cannot read this one.
        const UNSERVED: [&str; 21] = [
            "invalid_payload",
            "unsupported_payload_type",
            "invalid_format",
            "invalid_x402_version",
            "invalid_payment_requirements",
            "accepted_requirements_mismatch",
            "invalid_scheme",
            "unsupported_scheme",
            "invalid_exact_evm_scheme",
            "invalid_network",
            "unsupported_network",
            "unsupported_chain",
            "chain_id_mismatch",
            "invalid_exact_evm_network_mismatch",
            "invalid_exact_evm_missing_eip712_domain",
            "invalid_exact_evm_token_name_mismatch",
            "invalid_exact_evm_token_version_mismatch",
            "asset_not_deployed_contract",
            "asset_mismatch",
            "eip6492_factory_not_allowed",
            "permit2_proxy_not_deployed",
        ];
        /// It says what we have checked ourselves where the payer is an account with a key.
        const UNSIGNED: [&str; 6] = [
            "invalid_exact_evm_payload_signature",
            "invalid_exact_evm_signature",
            "invalid_exact_evm_failed_to_parse_signature",
            "invalid_exact_evm_payload_undeployed_smart_wallet",
            "invalid_permit2_signature",
            "invalid_signature",
        ];
        const EXPIRED: [&str; 3] = [
            "invalid_exact_evm_payload_authorization_valid_before",
            "permit2_deadline_expired",
            "invalid_payment_expired",
        ];
        const EARLY: [&str; 4] = [
            "invalid_exact_evm_payload_authorization_valid_after",
            "permit2_not_yet_valid",
            "permit2_payment_too_early",
            "invalid_payment_early",
        ];
        let reason = self.as_str();
        UNSERVED.contains(&reason)
            || UNSIGNED.contains(&reason) && !known.proven
            || EXPIRED.contains(&reason) && known.window.expired(known.now).is_some()
            || EARLY.contains(&reason) && known.window.opens_after(known.now)
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
    use crate::{UnixMillis, window::Window};
    use x402_protocol::{Address, Network, TransferMethod, Uint256, Version};

    #[test]
    fn repeats_only_what_has_the_shape_of_a_reason() {
        assert_eq!(Reason::from_outside(Some("insufficient_funds")).as_str(), "insufficient_funds");
        for text in [None, Some(""), Some("<script>"), Some("no\r\nheader: x"), Some(&"a".repeat(81))] {
            assert_eq!(Reason::from_outside(text).as_str(), "unstated_reason", "{text:?}");
        }
    }

    #[test]
    fn only_what_is_on_the_list_and_contradicts_nothing_is_final() {
        let window = Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: 2_000 };
        let known = |proven, now_s: u64| Expected {
            version: Version::V2,
            payer: Address([1; 20]),
            network: Network::Base,
            amount: Uint256::from(1),
            proven,
            window,
            now: UnixMillis(now_s * 1_000),
        };
        let is_final =
            |reason: &str, known: &Expected| Reason::from_outside(Some(reason)).is_given_before_sending(known);
        assert!(
            is_final("unsupported_scheme", &known(true, 1_000)) && is_final("INVALID_PAYLOAD", &known(true, 1_000))
        );
        for open in [
            "insufficient_funds",
            "invalid_exact_evm_insufficient_balance",
            "invalid_exact_evm_nonce_already_used",
            "invalid_exact_evm_transaction_failed",
            "settle_exact_evm_transaction_confirmation_timed_out",
            "settle_exact_node_failure",
            "permit2_allowance_required",
            "unexpected_settle_error",
            "Gave up waiting, sorry",
            "",
        ] {
            assert!(!is_final(open, &known(true, 1_000)) && !is_final(open, &known(false, 1_000)), "{open}");
        }
        let signature = "invalid_exact_evm_payload_signature";
        assert!(is_final(signature, &known(false, 1_000)) && !is_final(signature, &known(true, 1_000)));
        let expired = "invalid_exact_evm_payload_authorization_valid_before";
        assert!(is_final(expired, &known(true, 1_999)) && !is_final(expired, &known(true, 1_000)));
    }
}
