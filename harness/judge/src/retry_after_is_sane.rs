//! ANSWER-7: whoever is told to come back is told when, and it is neither at once nor in an hour. A zero makes every client that
//! obeys it a flood of its own.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::level::Level;
use std::ops::RangeInclusive;

pub const RULE: Rule = Rule {
    id: "ANSWER-7",
    checker: "retry-after-is-sane",
    says: "ANSWER-7: whoever is to come back is told a sane time",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "RFC 9110, 10.2.3",
            says: "Retry-After says how long to wait before the next request",
        },
        Source::Promise { place: "README.md, What the caller gets", what: "a 503 and a 429 say when to come back" },
    ],
    hint: Hint {
        cause: "a wait is rounded down to whole seconds, or told in another unit",
        look_at: "dispatcher/x402-paywall/src/denial.rs",
    },
};

/// In seconds. The slowest of the dispatcher's counts has ebbed in a minute.
const SANE: RangeInclusive<u64> = 1..=120;

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let Some(seconds) = answer.retry_after_s else { continue };
        looked_at += 1;
        if !SANE.contains(&seconds) {
            violations.push(Violation::new(format!("the caller is to come back in {seconds} s"), exchange.line));
        }
    }
    Finding::of(looked_at, "answers that say when to come back", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn at_once_and_much_later_are_seen() {
        let after =
            |seconds: fn(&mut reports::event::Answer)| judge(&Story::new().answered(None, 503, seconds).history());
        assert_eq!(after(|answer| answer.retry_after_s = Some(2)).verdict, Verdict::Pass);
        assert_eq!(after(|_| {}).verdict, Verdict::Unknown);
        assert_eq!(shown(&after(|answer| answer.retry_after_s = Some(0))), [2]);
        assert_eq!(shown(&after(|answer| answer.retry_after_s = Some(3_600))), [2]);
    }
}
