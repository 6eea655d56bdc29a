//! When a payment can be settled, as its payer signed it. The one place that decides, for admission (before anything is
//! asked) and for the ledger (before it asks).

use crate::{Reason, UnixMillis};
use serde::{Deserialize, Serialize};
use x402_protocol::{Transfer, TransferMethod};

/// A facilitator refuses what has less than 6 s left, because a block must still be found.
pub const SETTLE_MARGIN_S: u64 = 6;

/// After this nobody comes to collect what an expired payment may have bought. Until then it must get as far as the
/// ledger: to bill a caller anew whose settlement is not known yet would charge them twice.
pub const FORGOTTEN_AFTER_S: u64 = 30 * 24 * 3600;

/// By how much a clock may be set back. A payment that opens later than that was never open, whatever the clock said.
pub const SET_BACK_AT_MOST_S: u64 = 1_800;

/// The shortest time for which a payment may be signed, whatever the offer says: the official Go client signs every payment
/// for an hour.
pub const USUAL_WINDOW_S: u64 = 3_600;
/// How far a client's clock may be ahead.
pub const CLOCK_SLACK_S: u64 = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub method: TransferMethod,
    /// Unix seconds, saturated.
    pub valid_after: u64,
    /// Unix seconds, saturated.
    pub valid_before: u64,
}

impl Window {
    #[must_use]
    pub fn of(transfer: &Transfer) -> Self {
        Self {
            method: transfer.method(),
            valid_after: transfer.valid_after().saturating_u64(),
            valid_before: transfer.valid_before().saturating_u64(),
        }
    }

    /// Why nothing can be settled at `now`, if so.
    #[must_use]
    pub fn shut(&self, now: UnixMillis) -> Option<Reason> {
        self.expired(now).or_else(|| self.not_yet_open(now))
    }

    /// Too late for a settlement to begin.
    #[must_use]
    pub fn expired(&self, now: UnixMillis) -> Option<Reason> {
        (self.valid_before < now.seconds() + SETTLE_MARGIN_S).then(|| self.too_late())
    }

    /// The reason for what cannot be done in what is left.
    #[must_use]
    pub fn too_late(&self) -> Reason {
        Reason::ours(match self.method {
            TransferMethod::Eip3009 => "invalid_exact_evm_payload_authorization_valid_before",
            TransferMethod::Permit2 => "permit2_deadline_expired",
        })
    }

    /// No settlement that was not sent by then can succeed.
    #[must_use]
    pub fn end(&self) -> UnixMillis {
        UnixMillis(self.valid_before.saturating_mul(1_000))
    }

    /// Why nobody can come to collect what the payment bought: not worth asking the ledger about. One that opens soon may have
    /// bought something before the clock was set back.
    #[must_use]
    pub fn forgotten(&self, now: UnixMillis) -> Option<Reason> {
        let forgotten = UnixMillis(now.0.saturating_sub(FORGOTTEN_AFTER_S * 1000));
        self.expired(forgotten).or_else(|| self.not_yet_open(now.plus(SET_BACK_AT_MOST_S * 1000)))
    }

    /// Whether a settlement at `now` would come too early.
    #[must_use]
    pub fn opens_after(&self, now: UnixMillis) -> bool {
        self.valid_after >= now.seconds()
    }

    /// Why the payment is valid for too long to be sold for, if so. A settlement whose outcome is unknown is asked about until
    /// its window is over, so a window without an end is work without one.
    #[must_use]
    pub fn too_long(&self, max_timeout_s: u64, now: UnixMillis) -> Option<Reason> {
        let longest = max_timeout_s.max(USUAL_WINDOW_S).saturating_add(CLOCK_SLACK_S);
        let too_long = self.valid_before > now.seconds().saturating_add(longest);
        too_long.then(|| {
            Reason::ours(match self.method {
                TransferMethod::Eip3009 => "invalid_exact_evm_payload_authorization_valid_before",
                TransferMethod::Permit2 => "permit2_deadline_too_far",
            })
        })
    }

    fn not_yet_open(&self, now: UnixMillis) -> Option<Reason> {
        let reason = match self.method {
            TransferMethod::Eip3009 => "invalid_exact_evm_payload_authorization_valid_after",
            TransferMethod::Permit2 => "permit2_not_yet_valid",
        };
        self.opens_after(now).then(|| Reason::ours(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    fn window(valid_after: u64, valid_before: u64) -> Window {
        Window { method: TransferMethod::Eip3009, valid_after, valid_before }
    }

    #[test]
    fn a_window_is_open_from_after_its_beginning_until_the_margin_before_its_end() {
        let shut = |valid_after, valid_before| window(valid_after, valid_before).shut(UnixMillis(NOW_S * 1000));
        assert_eq!(shut(NOW_S - 1, NOW_S + SETTLE_MARGIN_S), None);
        assert_eq!(shut(0, u64::MAX), None);
        assert!(shut(NOW_S - 1, NOW_S + SETTLE_MARGIN_S - 1).unwrap().as_str().ends_with("valid_before"));
        assert!(shut(NOW_S, NOW_S + 60).unwrap().as_str().ends_with("valid_after"));
    }

    #[test]
    fn a_window_ends_soon_after_the_offer_does_or_an_hour_from_now() {
        let too_long = |max_timeout_s, ends_in| {
            window(0, NOW_S.saturating_add(ends_in)).too_long(max_timeout_s, UnixMillis(NOW_S * 1000)).is_some()
        };
        assert!(!too_long(60, USUAL_WINDOW_S + CLOCK_SLACK_S) && too_long(60, USUAL_WINDOW_S + CLOCK_SLACK_S + 1));
        assert!(!too_long(7_200, 7_200 + CLOCK_SLACK_S) && too_long(7_200, 7_200 + CLOCK_SLACK_S + 1));
        assert!(too_long(60, u64::MAX) && !too_long(u64::MAX, u64::MAX));
    }

    #[test]
    fn an_expired_payment_may_still_have_bought_something_but_not_for_ever_and_so_may_an_early_one() {
        let forgotten =
            |valid_after, valid_before| window(valid_after, valid_before).forgotten(UnixMillis(NOW_S * 1000)).is_some();
        assert!(!forgotten(0, NOW_S - 60) && !forgotten(0, NOW_S - FORGOTTEN_AFTER_S + SETTLE_MARGIN_S));
        assert!(forgotten(0, NOW_S - FORGOTTEN_AFTER_S) && !forgotten(NOW_S + 90, NOW_S + 390));
        assert!(forgotten(NOW_S + SET_BACK_AT_MOST_S, u64::MAX));
    }
}
