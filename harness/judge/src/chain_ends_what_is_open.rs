//! LIVE-9: what a node of the chain can tell ends in time. A payment that never moved, and whose window is over, never will: its
//! caller gets a final word, and nobody asks about it any more.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "LIVE-9",
    checker: "chain-ends-what-is-open",
    says: "LIVE-9: an open settlement ends as soon as a node can tell how",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "x402-foundation/x402#2294", what: "a relayer that is stuck says nothing for ever" },
        Source::Promise { place: "docs/invariants.md, Money", what: "nothing but proof closes what is open" },
    ],
    hint: Hint {
        cause: "the chain's word that a payment never moved is not listened to, or a window's end is in another unit",
        look_at: "dispatcher/x402-paywall/src/ledger/keeper.rs",
    },
};

/// Longer than any payment of a run is good for, with the time that a block takes to be final and the longest pause after it.
const OPEN_FOR_US: u64 = 2 * 3_600_000_000;

pub fn judge(history: &History) -> Finding {
    let ended_us = history.events.last().map_or(0, |last| last.at_us);
    let (mut looked_at, mut violations) = (0, Vec::new());
    for (payment, calls) in history.settles().filter(|_| history.has_node) {
        let open_us = ended_us.saturating_sub(calls[0].received_us);
        let Some(state) = history.ledger_of(payment).filter(|_| open_us > OPEN_FOR_US) else { continue };
        looked_at += 1;
        if matches!(state.state.as_str(), "unknown" | "settling") {
            let minutes = open_us / 60_000_000;
            let what = format!("{} is {} after {minutes} minutes, and the node can tell", short(payment), state.state);
            violations.push(Violation::new(what, state.line).and([calls[0].line]));
        }
    }
    Finding::of(looked_at, "settlements that were begun long ago", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn left(hours: u64, state: &str, story: Story) -> Finding {
        judge(&story.settle("p1", "primary", Said::Nothing).pause(hours * 3_600).ledger("p1", state).history())
    }

    #[test]
    fn nothing_stays_open_that_a_node_can_tell() {
        assert_eq!(left(3, "unknown", Story::new().with_node()).verdict, Verdict::Fail);
        assert_eq!(left(3, "refused", Story::new().with_node()).verdict, Verdict::Pass);
        assert_eq!(left(1, "unknown", Story::new().with_node()).verdict, Verdict::Unknown);
        assert_eq!(left(3, "unknown", Story::new()).verdict, Verdict::Unknown, "nobody can tell");
    }
}
