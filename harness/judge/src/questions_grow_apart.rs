//! COST-9: the longer a settlement has been open, the seldomer it is asked about where nobody comes for it. A pause that never
//! grows asks a facilitator thousands of times a day for each payment that it will never answer for.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::{at, short},
    history::At,
    settled_answer::Conclusion,
};
use reports::{event::FacilitatorCall, level::Level};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "COST-9",
    checker: "questions-grow-apart",
    says: "COST-9: the longer a settlement is open, the seldomer it is asked about",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "ARCHITECTURE.md, Whom payments rely on",
        what: "an open settlement is asked about after a back-off",
    }],
    hint: Hint {
        cause: "the pause is worked out from a number of questions that is not counted on",
        look_at: "dispatcher/x402-paywall/src/ledger/machine.rs",
    },
};

/// Young questions may come as they like, within COST-7.
const YOUNG_US: u64 = 30_000_000;
/// A pause is to be a tenth at least of how long the settlement has been open, up to this.
const SHARE: u64 = 10;
const LONG_ENOUGH_US: u64 = 600_000_000;
/// Something else may be the reason for a question or two, as that the facilitator is back.
const IN_A_ROW: usize = 3;

pub fn judge(history: &History) -> Finding {
    let mut presented: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for exchange in history.exchanges() {
        if let Some(payment) = exchange.what.payment.as_deref() {
            presented.entry(payment).or_default().extend([exchange.sent_us, exchange.ended_us]);
        }
    }
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (payment, calls) in history.settles() {
        let opened_us = calls[0].received_us;
        let mut short_pauses = 0;
        for pair in calls.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let open_us = before.ended_us.saturating_sub(opened_us);
            let is_asked_for = presented.get(payment).is_some_and(|at| {
                at.iter().any(|at| (before.ended_us.saturating_sub(1_000_000)..=after.received_us).contains(at))
            });
            if open_us < YOUNG_US || is_asked_for || !is_same_question(&before, &after) {
                short_pauses = 0;
                continue;
            }
            looked_at += 1;
            let pause_us = after.received_us.saturating_sub(before.ended_us);
            short_pauses = if pause_us < (open_us / SHARE).min(LONG_ENOUGH_US) { short_pauses + 1 } else { 0 };
            if short_pauses == IN_A_ROW {
                let (open_s, when) = (open_us / 1_000_000, at(after.received_us));
                let what = format!(
                    "{} was asked about {} at {when} after {} s, open for {open_s} s, and nobody came",
                    after.facilitator,
                    short(payment),
                    pause_us / 1_000_000
                );
                violations.push(Violation::new(what, before.line).and([after.line]));
            }
        }
    }
    Finding::of(looked_at, "pauses between questions that nobody came for", violations)
}

fn is_same_question(before: &At<'_, FacilitatorCall>, after: &At<'_, FacilitatorCall>) -> bool {
    before.facilitator == after.facilitator && Conclusion::of(before) == Conclusion::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn asked_with(pauses: &[u64]) -> Finding {
        let first = Story::new().settle("p1", "primary", NOTHING);
        let story = pauses.iter().fold(first, |story, pause| story.pause(*pause).settle("p1", "primary", NOTHING));
        judge(&story.history())
    }

    #[test]
    fn a_pause_that_grows_is_a_pass_and_one_that_does_not_is_seen() {
        assert_eq!(asked_with(&[2, 4, 8, 16, 32, 64, 128]).verdict, Verdict::Pass);
        assert_eq!(asked_with(&[2, 2, 2]).verdict, Verdict::Unknown, "it is young");
        assert_eq!(asked_with(&[2; 40]).verdict, Verdict::Fail);
    }

    #[test]
    fn whom_a_caller_comes_for_is_asked_about_as_often_as_it_comes() {
        let mut story = Story::new().settle("p1", "primary", NOTHING);
        for _ in 0..40 {
            story = story.answered(Some("p1"), 503, |_| {}).settle("p1", "primary", NOTHING);
        }
        assert_eq!(judge(&story.history()).verdict, Verdict::Unknown);
    }
}
