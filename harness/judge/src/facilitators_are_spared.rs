//! COST-7: nobody asks a facilitator the same thing over and over. What it supports is asked once in a while, and an open
//! settlement with a pause between two questions.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::{at, short},
    history::{At, Line},
    settled_answer::Conclusion,
};
use reports::{
    event::{Event, FacilitatorCall, FacilitatorEndpoint},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "COST-7",
    checker: "facilitators-are-spared",
    says: "COST-7: no facilitator is asked the same thing over and over",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "x402-foundation/x402#2294", what: "recovery after a facilitator's time-out" },
        Source::Promise {
            place: "ARCHITECTURE.md, Whom payments rely on",
            what: "what a facilitator supports is fetched in one place, and an open settlement is asked about after a back-off",
        },
    ],
    hint: Hint {
        cause: "a pause is missing, or is not kept from one question to the next",
        look_at: "dispatcher/x402-paywall/src/ledger/machine.rs",
    },
};

/// Between two questions about one settlement, each of which may be a caller's.
const BETWEEN_QUESTIONS_US: u64 = 250_000;
/// Between two questions of what is supported.
const BETWEEN_LISTS_US: u64 = 30_000_000;

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (payment, calls) in history.settles() {
        for pair in calls.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            if before.facilitator != after.facilitator || Conclusion::of(&before) != Conclusion::Unknown {
                continue;
            }
            looked_at += 1;
            let pause_us = after.received_us.saturating_sub(before.ended_us);
            if pause_us < BETWEEN_QUESTIONS_US && !was_killed(history, before.received_us, after.received_us) {
                let (facilitator, when) = (&after.facilitator, at(after.received_us));
                let what = format!(
                    "{facilitator} was asked about {} at {when}, {} ms after it answered",
                    short(payment),
                    pause_us / 1_000
                );
                violations.push(Violation::new(what, before.line).and([after.line]));
            }
        }
    }
    let mut last: BTreeMap<&str, (Line, u64)> = BTreeMap::new();
    for call in lists(history) {
        looked_at += 1;
        let before = last.insert(&call.what.facilitator, (call.line, call.received_us));
        let Some((line, before_us)) = before else { continue };
        if call.received_us.saturating_sub(before_us) < BETWEEN_LISTS_US
            && !was_killed(history, before_us, call.received_us)
        {
            let what = format!(
                "{} was asked twice what it supports, at {} and {}",
                call.facilitator,
                at(before_us),
                at(call.received_us)
            );
            violations.push(Violation::new(what, line).and([call.line]));
        }
    }
    Finding::of(looked_at, "questions", violations)
}

fn lists(history: &History) -> impl Iterator<Item = At<'_, FacilitatorCall>> {
    history.lines().filter_map(|(line, recorded)| match &recorded.event {
        Event::FacilitatorCalled(call) if call.endpoint == FacilitatorEndpoint::Supported => {
            Some(At { line, at_us: recorded.at_us, what: call })
        }
        _ => None,
    })
}

/// A process that is new knows nothing of what the one before it asked.
fn was_killed(history: &History, from_us: u64, to_us: u64) -> bool {
    history.outages.iter().any(|outage| outage.killed_us <= to_us && from_us <= outage.back_us)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn questions_about_one_settlement_have_a_pause_between_them() {
        let calm = Story::new().settle("p1", "primary", NOTHING).settle("p1", "primary", YES);
        assert_eq!(judge(&calm.history()).verdict, Verdict::Pass);
        let soon = |call: &mut FacilitatorCall| call.received_us -= 400_000;
        let storm = Story::new().settle("p1", "primary", NOTHING).settle_with("p1", "primary", YES, soon);
        assert_eq!(shown(&judge(&storm.history())), [2, 3]);
        let refused = Story::new().settle("p1", "primary", NO).settle_with("p1", "standby", YES, soon);
        assert_eq!(judge(&refused.history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn what_is_supported_is_not_asked_again_and_again() {
        let list = |call: &mut FacilitatorCall| call.endpoint = FacilitatorEndpoint::Supported;
        let asked = |story: Story| story.settle_with("p1", "primary", YES, list);
        assert_eq!(judge(&asked(asked(Story::new()).pause(30)).history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&asked(asked(Story::new())).history())), [2, 3]);
        assert_eq!(judge(&asked(asked(Story::new()).killed().restarted()).history()).verdict, Verdict::Pass);
    }
}
