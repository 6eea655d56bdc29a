//! Payments that are let through to one facilitator while nobody is well.
//!
//! A breaker that shuts everybody out keeps out whoever could tell that it may close. Verifying moves no money, so a few
//! payments go through all the while: when the facilitator is back, the next caller finds out.

use crate::UnixMillis;

/// Payments that may be under way at once.
const AT_ONCE: u32 = 3;
/// Each gap lets one more through.
const REFILL_MS: u64 = 250;
/// Kept for payers who are known: no number of strangers takes it.
const FOR_REGULARS: u32 = 1;
/// Kept from those whose payments have failed here: what they would find out they know.
const FOR_OTHERS: u32 = 2;

/// The right of a caller to a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Its payer is known.
    Known,
    Stranger,
    /// A stranger for whom this facilitator failed lately.
    Doubtful,
}

#[derive(Clone, Debug)]
pub(super) struct Trials {
    tokens: u32,
    filled_at: UnixMillis,
    /// Until when each that is under way has ended or is given up.
    under_way: Vec<UnixMillis>,
}

impl Default for Trials {
    fn default() -> Self {
        Self { tokens: AT_ONCE, filled_at: UnixMillis(0), under_way: Vec::new() }
    }
}

impl Trials {
    /// Takes a turn, if there is one.
    pub(super) fn take(&mut self, right: Right, now: UnixMillis) -> bool {
        self.under_way.retain(|until| now < *until);
        // If the clock was set back, it is filled from now on.
        self.filled_at = self.filled_at.min(now);
        let filled = now.since(self.filled_at) / REFILL_MS;
        if filled > 0 {
            self.tokens = self.tokens.saturating_add(u32::try_from(filled).unwrap_or(u32::MAX)).min(AT_ONCE);
            self.filled_at = now;
        }
        let kept = match right {
            Right::Known => 0,
            Right::Stranger => FOR_REGULARS,
            Right::Doubtful => FOR_OTHERS,
        };
        let may = self.tokens > kept && self.under_way.len() < AT_ONCE as usize;
        if may {
            self.tokens -= 1;
        }
        may
    }

    pub(super) fn began(&mut self, until: UnixMillis) {
        self.under_way.push(until);
    }

    pub(super) fn ended(&mut self) {
        self.under_way.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_go_through_and_one_more_each_quarter_of_a_second() {
        let mut trials = Trials::default();
        let now = UnixMillis(10_000);
        let through = |trials: &mut Trials, ms| (0..10).filter(|_| trials.take(Right::Known, now.plus(ms))).count();
        assert_eq!([0, 100, 250, 500, 60_000].map(|ms| through(&mut trials, ms)), [3, 0, 1, 1, 3]);
    }

    #[test]
    fn strangers_leave_one_for_who_is_known() {
        let mut trials = Trials::default();
        let now = UnixMillis(10_000);
        assert_eq!((0..100).filter(|_| trials.take(Right::Stranger, now)).count(), 2);
        assert!(trials.take(Right::Known, now) && !trials.take(Right::Known, now));
    }

    #[test]
    fn whoever_it_failed_for_leaves_one_for_strangers_too() {
        let mut trials = Trials::default();
        let now = UnixMillis(10_000);
        assert_eq!((0..100).filter(|_| trials.take(Right::Doubtful, now)).count(), 1);
        assert!(trials.take(Right::Stranger, now) && !trials.take(Right::Stranger, now));
    }

    #[test]
    fn what_hangs_is_not_joined_by_ever_more() {
        let mut trials = Trials::default();
        for second in 0..60 {
            let now = UnixMillis(second * 1_000);
            if trials.take(Right::Known, now) {
                trials.began(UnixMillis(1_000_000));
            }
        }
        assert_eq!(trials.under_way.len(), 3);
        trials.ended();
        assert!(trials.take(Right::Known, UnixMillis(60_000)));
    }
}
