//! LIVE-5: a payment is in use only while a request uses it. Once its tenant has failed, its facilitator has answered or its
//! process has died, whoever presents it again goes on with it, and is not told to wait.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short, history::At};
use reports::{
    event::{Exchange, ExchangeOutcome},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "LIVE-5",
    checker: "payments-are-given-back",
    says: "LIVE-5: a payment is in use only while a request uses it",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "x402-foundation/x402#1805",
            what: "one settlement proof used by concurrent requests: who holds a payment must let go of it",
        },
        Source::Promise {
            place: "dispatcher/x402-paywall/src/ledger/machine.rs",
            what: "the same payment for the same request takes over from an orphan at once",
        },
    ],
    hint: Hint {
        cause: "a lease outlives its request, or is over before its tenant is through, or a call still counts as under way",
        look_at: "dispatcher/x402-paywall/src/ledger/machine.rs",
    },
};

/// A request whose client has gone may go on for so long: a minute's lease, and what settling takes.
const GOES_ON_US: u64 = 90_000_000;

pub fn judge(history: &History) -> Finding {
    let mut by_payment: BTreeMap<&str, Vec<At<'_, Exchange>>> = BTreeMap::new();
    for exchange in history.exchanges() {
        if let Some(payment) = exchange.what.payment.as_deref() {
            by_payment.entry(payment).or_default().push(exchange);
        }
    }
    let (mut looked_at, mut violations) = (0, Vec::new());
    for (exchange, answer, payment) in history.paid_answers() {
        looked_at += 1;
        if answer.code.as_deref() != Some("payment_in_progress") {
            continue;
        }
        let mut others = by_payment[payment].iter().filter(|other| other.line != exchange.line);
        if !others.clone().any(|other| may_use_it(history, other, &exchange)) {
            let what = format!("{} was said to be in use, and no other request had it", short(payment));
            let before = others.rfind(|other| other.ended_us <= exchange.sent_us);
            violations.push(Violation::new(what, exchange.line).and(before.map(|other| other.line)));
        }
    }
    Finding::of(looked_at, "answers to payments", violations)
}

/// Whether the other request was under way, or may have been though its client was not there any more.
fn may_use_it(history: &History, other: &Exchange, exchange: &Exchange) -> bool {
    let is_open = other.sent_us <= exchange.ended_us && exchange.sent_us < other.ended_us;
    let went = !matches!(other.outcome, ExchangeOutcome::Answered(_)) && !history.was_cut(other);
    is_open || went && (other.ended_us..other.ended_us + GOES_ON_US).contains(&exchange.sent_us)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{
        event::{Answer, ExchangeKind},
        verdict::Verdict,
    };

    fn in_use(answer: &mut Answer) {
        answer.code = Some("payment_in_progress".to_owned());
    }

    #[test]
    fn a_payment_that_nobody_uses_any_more_is_not_in_use() {
        let failed = || Story::new().answered(Some("p1"), 502, |_| {});
        let kept = failed().answered(Some("p1"), 503, in_use);
        assert_eq!(shown(&judge(&kept.history())), [2, 3]);
        let back = failed().served("p1");
        assert_eq!(judge(&back.history()).verdict, Verdict::Pass);
    }

    #[test]
    fn a_payment_that_another_request_has_is_in_use() {
        let beside =
            Story::new().answered(Some("p1"), 503, in_use).sent("p1", ExchangeKind::Payment, 200, |other, _| {
                other.sent_us -= 900_000;
            });
        assert_eq!(judge(&beside.history()).verdict, Verdict::Pass);
        let alone = Story::new().answered(Some("p1"), 503, in_use).served("p1");
        assert_eq!(shown(&judge(&alone.history())), [2]);
    }
}
