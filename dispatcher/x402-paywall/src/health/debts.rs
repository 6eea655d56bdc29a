//! How fast settlements whose answer was lost are asked about at one facilitator.
//!
//! A breaker keeps new work away from who is ill. Debts are no new work: the facilitator has taken them on already, and
//! each of them is a payer who waits. So they have a rate of their own. While the facilitator is silent, a few go out each
//! back-off, for one of them may be what it chokes on. As soon as it has answered one, all others follow.

use crate::UnixMillis;
use std::collections::VecDeque;

/// Debts under way at once, once it answers.
const AT_ONCE: usize = 20;
/// Debts in a second, once it answers.
const A_SECOND: usize = 50;
/// Time between the turns of two that have to wait.
const GAP_MS: u64 = 1_000 / A_SECOND as u64;
/// Debts that go out in one back-off while it is silent.
const PER_BACK_OFF: usize = 3;
/// A debt that went out so long ago says nothing of the back-off any more: whoever sent it may be gone.
const SENT_COUNTS_MS: u64 = 10_000;
/// The longest queue: more than the thousand that ever wait.
const LONGEST_QUEUE_MS: u64 = 60_000;
/// How long a debt that found no turn stays in mind, so that first settlements leave the next turn to it.
const WAITS_MS: u64 = 5_000;

/// How a facilitator's settle stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// In use, or on its way back.
    Answers,
    /// Quarantined, by a back-off that was set at one time and runs out at another.
    Silent { set_at: UnixMillis, retry_at: UnixMillis },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Debts {
    /// When each that is under way is given up.
    under_way: Vec<UnixMillis>,
    /// When the last few were sent.
    sent: VecDeque<UnixMillis>,
    answered_at: Option<UnixMillis>,
    /// The last turn that somebody was told to come back for.
    promised: UnixMillis,
    waited_at: Option<UnixMillis>,
}

impl Debts {
    /// When the next one may be asked about: now, or at a turn that nobody else was told.
    pub(super) fn next_at(&mut self, mood: Mood, now: UnixMillis) -> UnixMillis {
        self.under_way.retain(|until| now < *until);
        let at = match mood {
            Mood::Answers => self.next_while_it_answers(now),
            Mood::Silent { set_at, retry_at } => {
                let counts = |at: &&UnixMillis| **at > set_at && **at >= retry_at && now.since(**at) < SENT_COUNTS_MS;
                let sent = self.sent.iter().filter(counts).count();
                let free = sent < PER_BACK_OFF && self.under_way.len() < PER_BACK_OFF;
                if free { now.max(retry_at) } else { self.soonest(now).max(retry_at) }
            }
        };
        if at > now {
            self.waited_at = Some(now);
        }
        at
    }

    fn next_while_it_answers(&mut self, now: UnixMillis) -> UnixMillis {
        let sent = self.sent.iter().filter(|at| **at <= now && now.since(**at) < 1_000).count();
        if self.under_way.len() < AT_ONCE && sent < A_SECOND {
            return now;
        }
        // Each that has to wait gets a turn of its own, so that they do not come back together. A turn that is further away
        // than anybody waits was promised by a clock that has been set back since.
        let promised = if self.promised.since(now) > LONGEST_QUEUE_MS { now } else { self.promised };
        self.promised = promised.max(now).plus(GAP_MS);
        self.promised
    }

    /// While nothing is free: the end of the first that is under way, or a moment later.
    fn soonest(&self, now: UnixMillis) -> UnixMillis {
        let ends = self.under_way.iter().min().copied().unwrap_or_default();
        ends.min(now.plus(1_000)).max(now.plus(250))
    }

    pub(super) fn began(&mut self, until: UnixMillis, now: UnixMillis) {
        self.under_way.push(until);
        self.sent.push_back(now);
        if self.sent.len() > A_SECOND {
            self.sent.pop_front();
        }
    }

    /// `until` is what it began with.
    pub(super) fn ended(&mut self, until: UnixMillis, answered: bool, now: UnixMillis) {
        if let Some(position) = self.under_way.iter().position(|other| *other == until) {
            self.under_way.remove(position);
        }
        if answered {
            self.answered_at = Some(now);
        }
    }

    /// Whether one was answered since then.
    pub(super) fn answered_since(&self, since: UnixMillis) -> bool {
        self.answered_at.is_some_and(|at| at >= since)
    }

    /// Whether some wait for a turn.
    pub(super) fn wait(&self, now: UnixMillis) -> bool {
        self.waited_at.is_some_and(|at| now.since(at) < WAITS_MS)
    }
}

#[cfg(test)]
#[path = "debts_tests.rs"]
mod tests;
