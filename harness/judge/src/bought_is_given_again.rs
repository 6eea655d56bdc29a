//! MONEY-12: who has bought something can have it again for ten minutes, with the same payment for the same request from where
//! it was. What was handed to the next hop has not arrived, and only the caller knows.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::short,
    history::At,
    origin::{is_same_caller, is_same_request},
};
use reports::{
    event::{Exchange, ExchangeKind},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-12",
    checker: "bought-is-given-again",
    says: "MONEY-12: a payer gets what it bought again, for ten minutes",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "RFC 9110, 9.2.2",
            says: "a client may repeat an idempotent request whose response it did not receive",
        },
        Source::Promise {
            place: "docs/invariants.md, Money",
            what: "a stored response goes to its origin for ten minutes after it was handed over",
        },
    ],
    hint: Hint {
        cause: "the time for which a response is kept is in another unit, or counts from the settlement",
        look_at: "dispatcher/x402-paywall/src/ledger/machine.rs",
    },
};

/// Ten minutes, less the time that an answer may be on its way.
const AGAIN_US: u64 = 590_000_000;

pub fn judge(history: &History) -> Finding {
    let mut given: BTreeMap<&str, At<'_, Exchange>> = BTreeMap::new();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    let mut answers: Vec<_> = history.paid_answers().collect();
    answers.sort_by_key(|(exchange, ..)| exchange.ended_us);
    for (exchange, answer, payment) in answers {
        let is_content = (200..300).contains(&answer.status);
        let before = given.get(payment).copied().filter(|before| {
            let is_own = is_same_caller(before, &exchange) && is_same_request(before, &exchange);
            let since_us = exchange.sent_us.checked_sub(before.ended_us);
            is_own && exchange.kind == ExchangeKind::Resend && since_us.is_some_and(|since_us| since_us < AGAIN_US)
        });
        if let Some(before) = before {
            looked_at += 1;
            // What comes too often waits, and a dispatcher in trouble says so.
            if !is_content && !matches!(answer.status, 429 | 503) {
                let seconds = (exchange.sent_us - before.ended_us) / 1_000_000;
                let what = format!("{} was answered {} when it came again after {seconds} s", short(payment), answer.status);
                violations.push(Violation::new(what, exchange.line).and([before.line]));
            }
        }
        if is_content {
            given.insert(payment, exchange);
        }
    }
    Finding::of(looked_at, "payments that came again for what they had bought", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn again(seconds: u64, status: u16) -> Finding {
        let story = Story::new().settled("p1", "primary").served("p1").pause(seconds);
        judge(&story.sent("p1", ExchangeKind::Resend, status, |_, _| {}).history())
    }

    #[test]
    fn what_was_bought_can_be_had_for_ten_minutes() {
        assert_eq!(again(500, 200).verdict, Verdict::Pass);
        assert_eq!(again(500, 503).verdict, Verdict::Pass);
        assert_eq!(again(500, 409).verdict, Verdict::Fail);
        assert_eq!(again(5, 402).verdict, Verdict::Fail);
        assert_eq!(again(700, 409).verdict, Verdict::Unknown, "nobody promised that");
    }
}
