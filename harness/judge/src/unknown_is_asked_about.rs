//! LIVE-3: an open settlement is asked about until it is known, whether or not its caller comes back. A facilitator that
//! still fails may be left alone, and questions may come less often the longer they go unanswered.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::{at, short},
    settled_answer::Conclusion,
};
use reports::{event::Event, level::Level};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "LIVE-3",
    checker: "unknown-is-asked-about",
    says: "LIVE-3: an open settlement is asked about until it is known, with its caller or without",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "x402-foundation/x402#2294", what: "recovery after a facilitator's time-out" },
        Source::Promise {
            place: "ARCHITECTURE.md, A paid request",
            what: "a settlement outlives its caller's connection",
        },
    ],
    hint: Hint {
        cause: "the alarm of an open settlement is not set, or not set again",
        look_at: "dispatcher/x402-paywall/src/ledger/machine.rs",
    },
};

/// Silence that any open settlement may have: a back-off, and a wait for its turn among others.
const SILENCE_US: u64 = 15_000_000;
/// Beyond that, for as long again as so many times the time that it has been open.
const PATIENCE: u64 = 2;

/// While a payment is good, and until a block behind its end is final: pauses stay short, for an answer is likely.
const YOUNG_US: u64 = 3_600_000_000;
const SILENCE_OF_THE_YOUNG_US: u64 = 240_000_000;

fn silence_of(open_us: u64) -> u64 {
    let most = if open_us < YOUNG_US { SILENCE_OF_THE_YOUNG_US + open_us / 8 } else { u64::MAX };
    (SILENCE_US + PATIENCE * open_us).min(most)
}

pub fn judge(history: &History) -> Finding {
    let ended_us = history.events.last().map_or(0, |last| last.at_us);
    let (healed, troubles, closed) = (ledger_healed(history), troubles(history), closed(history));
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (payment, calls) in history.settles() {
        let first = calls[0];
        for (nth, call) in calls.iter().enumerate().filter(|(_, call)| Conclusion::of(call) == Conclusion::Unknown) {
            let next = calls.get(nth + 1);
            // What the chain has told nobody need be asked about.
            let closed_us = closed.get(payment).copied().filter(|at_us| *at_us >= call.ended_us).unwrap_or(ended_us);
            let until_us = next.map_or(closed_us, |next| next.received_us);
            let silent_since_us =
                last_before(&troubles[call.facilitator.as_str()], until_us).unwrap_or(0).max(call.ended_us);
            // Nothing can be asked while nothing can be stored, and pauses grow with how long that has been so.
            let healed_us = last_before(&healed, until_us).filter(|healed_us| *healed_us > silent_since_us);
            let silent_since_us = healed_us.unwrap_or(silent_since_us);
            let open_us = healed_us.unwrap_or(call.ended_us).saturating_sub(first.received_us);
            let silence_us = until_us.saturating_sub(silent_since_us);
            let may_us = silence_of(open_us);
            if next.is_none() && silence_us <= may_us {
                continue;
            }
            looked_at += 1;
            if silence_us > may_us {
                let (facilitator, since) = (&call.facilitator, at(silent_since_us));
                let what = format!(
                    "{facilitator} was not asked what became of {} for {} s from {since}",
                    short(payment),
                    silence_us / 1_000_000
                );
                violations.push(Violation::new(what, call.line).and(next.map(|next| next.line)));
            }
        }
    }
    Finding::of(looked_at, "open settlements", violations)
}

/// When the dispatcher last told that it knows what became of each payment.
fn closed(history: &History) -> BTreeMap<&str, u64> {
    let known = |stage: &str| matches!(stage, "settled" | "refused" | "spent_elsewhere");
    let told = history.stages().filter(|stage| known(stage.what.stage.as_str()));
    told.map(|stage| (stage.what.payment.as_str(), stage.at_us)).collect()
}

/// When the ledger's storage became well again, in the order of time.
fn ledger_healed(history: &History) -> Vec<u64> {
    let ended = history.lines().filter_map(|(_, recorded)| match &recorded.event {
        Event::FaultEnded { fault } if fault.on == "ledger" => Some(recorded.at_us),
        _ => None,
    });
    let mut healed: Vec<u64> = ended.collect();
    healed.sort_unstable();
    healed
}

/// When each facilitator failed to answer a settle, in the order of time.
fn troubles(history: &History) -> BTreeMap<&str, Vec<u64>> {
    let mut troubles: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for call in history.settles().flat_map(|(_, calls)| calls) {
        if Conclusion::of(&call) == Conclusion::Unknown {
            troubles.entry(&call.what.facilitator).or_default().push(call.ended_us);
        }
    }
    troubles.values_mut().for_each(|ended| ended.sort_unstable());
    troubles
}

fn last_before(times: &[u64], by_us: u64) -> Option<u64> {
    times[..times.partition_point(|at_us| *at_us < by_us)].last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    /// Some steps that have nothing to do with it.
    fn while_time_goes_by(story: Story, seconds: usize) -> Story {
        (0..seconds).fold(story, |story, _| story.unpaid())
    }

    #[test]
    fn one_that_is_soon_asked_about_is_a_pass() {
        let story = Story::new().settle("p1", "primary", NOTHING);
        let history = while_time_goes_by(story, 10).settle("p1", "primary", YES).history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn one_that_nobody_asks_about_is_seen_whether_its_caller_comes_back_or_not() {
        let gone = while_time_goes_by(Story::new().settle("p1", "primary", NOTHING), 30);
        assert_eq!(shown(&judge(&gone.history())), [2]);
        let back = while_time_goes_by(Story::new().settle("p1", "primary", NOTHING), 30).settle("p1", "primary", YES);
        assert_eq!(shown(&judge(&back.history())), [2, 33]);
    }

    #[test]
    fn a_facilitator_that_fails_on_may_be_left_alone_and_without_time_there_is_nothing_to_judge() {
        let story = while_time_goes_by(Story::new().settle("p1", "primary", NOTHING), 12);
        let story = while_time_goes_by(story.settle("p2", "primary", NOTHING), 12).settle("p1", "primary", YES);
        assert_eq!(judge(&story.settle("p2", "primary", YES).history()).verdict, Verdict::Pass);
        let short = while_time_goes_by(Story::new().settle("p1", "primary", NOTHING), 5);
        assert_eq!(judge(&short.history()).verdict, Verdict::Unknown);
    }
}
