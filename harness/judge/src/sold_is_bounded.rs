//! COST-8: what is sold is at most a megabyte, because it is held in memory and stored before it leaves. What is larger is
//! refused and not charged.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "COST-8",
    checker: "sold-is-bounded",
    says: "COST-8: what is sold is a megabyte at most",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Cloudflare, Workers, limits",
            says: "an isolate has 128 MB for all requests that it serves at once",
        },
        Source::Promise {
            place: "README.md, What the caller gets",
            what: "what is too large to be paid for is not charged",
        },
    ],
    hint: Hint { cause: "a body is collected without its limit", look_at: "dispatcher/core/src/dispatcher.rs" },
};

/// The judges' own figure, on purpose not the dispatcher's.
const MOST_BYTES: u64 = 1 << 20;

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, _) in history.paid_answers() {
        if !history.is_priced(&exchange) {
            continue;
        }
        looked_at += 1;
        if (200..300).contains(&answer.status) && answer.body_bytes > MOST_BYTES {
            let what = format!("{} bytes were held and sold, {MOST_BYTES} at most are wanted", answer.body_bytes);
            violations.push(Violation::new(what, exchange.line));
        }
    }
    Finding::of(looked_at, "answers to payments", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn content_over_the_limit_is_seen() {
        let sold = |bytes: fn(&mut reports::event::Answer)| Story::new().served_with("p1", bytes).history();
        assert_eq!(judge(&sold(|answer| answer.body_bytes = 1 << 20)).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&sold(|answer| answer.body_bytes = (1 << 20) + 1))), [2]);
        assert_eq!(judge(&Story::new().unpaid().history()).verdict, Verdict::Unknown);
    }
}
