//! How long an attempt may take. No attempt is begun that cannot end in time: an answer that comes after the caller has
//! gone, or after the payment has run out, costs everybody and helps nobody.

use crate::{
    UnixMillis,
    window::{SETTLE_MARGIN_S, Window},
};

/// All attempts to verify one payment together: the tenant has still to run, and a caller gives up after about 30 s.
pub const VERIFY_BUDGET_MS: u64 = 15_000;
/// The time that is left for the tenant between a verify and the settle that must still fit into the payment's window.
const TENANT_ALLOWANCE_MS: u64 = 1_000;
/// Less than this is no time to answer over the internet.
const MIN_ATTEMPT_MS: u64 = 50;

/// When a verify that begins `now` must have ended.
#[must_use]
pub fn verify_deadline(window: &Window, now: UnixMillis) -> UnixMillis {
    let valid = window.end().0.saturating_sub(SETTLE_MARGIN_S * 1_000 + TENANT_ALLOWANCE_MS);
    now.plus(VERIFY_BUDGET_MS).min(UnixMillis(valid))
}

/// The time that an attempt may take until `deadline`; `None` where it could not end.
#[must_use]
pub fn within(configured_ms: u64, deadline: UnixMillis, now: UnixMillis) -> Option<u64> {
    let left = deadline.since(now);
    (left >= MIN_ATTEMPT_MS).then(|| configured_ms.min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_gets_the_least_of_its_own_time_and_what_is_left_and_none_where_nothing_is() {
        let within = |left: u64| within(2_000, UnixMillis(10_000), UnixMillis(10_000 - left));
        assert_eq!([9_000, 2_000, 1_500, 50].map(within), [Some(2_000), Some(2_000), Some(1_500), Some(50)]);
        assert_eq!(within(49), None);
        assert_eq!(super::within(2_000, UnixMillis(0), UnixMillis(1)), None, "the deadline has passed");
    }
}
