//! How long a settle call may take. Where a facilitator settles more slowly than its time-out, asking again and again with
//! the same patience would cut off each answer just before it came, and a payment would stay unknown for ever.

use crate::{UnixMillis, facilitator::MAX_TIMEOUT_MS, window::Window};

/// Longest that a caller is kept waiting for a re-asked settlement: browsers and proxies give up soon after.
const CALLER_WAITS_MS: u64 = 30_000;
/// Longest, in time-outs as configured. Answers may have been lost to resets, which say nothing of how long one takes; what
/// is slower than this is left to the alarm, which keeps nobody waiting.
const CALLER_WAITS_TIME_OUTS: u64 = 4;

/// `asked` is how often the answer was lost already. Doubles, rather than starting at the most: while a call hangs nobody
/// else asks, so a facilitator that hangs and comes back is found out as soon as the call is given up.
#[must_use]
pub fn settle_timeout_ms(configured: u64, asked: u32, window: &Window, now: UnixMillis, caller_waits: bool) -> u64 {
    // Nothing can settle once the payment has run out; what was asked earlier may have, so a re-ask is not cut.
    let left = if asked == 0 { window.end().since(now) } else { u64::MAX };
    patience_ms(configured, asked, caller_waits).min(left)
}

fn patience_ms(configured: u64, asked: u32, caller_waits: bool) -> u64 {
    let most = if caller_waits {
        configured.saturating_mul(CALLER_WAITS_TIME_OUTS).min(CALLER_WAITS_MS).max(configured)
    } else {
        MAX_TIMEOUT_MS
    };
    configured.saturating_mul(1 << asked.min(16)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_and_goes_further_where_no_caller_waits() {
        assert_eq!([0, 1, 2, 9].map(|asked| patience_ms(2_000, asked, true)), [2_000, 4_000, 8_000, 8_000]);
        assert_eq!(patience_ms(20_000, 3, true), 30_000);
        assert_eq!(patience_ms(60_000, 3, true), 60_000);
        assert_eq!([1, 9].map(|asked| patience_ms(2_000, asked, false)), [4_000, MAX_TIMEOUT_MS]);
    }
}
