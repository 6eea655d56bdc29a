//! ANSWER-3: a HEAD gets the 402 that a GET would, with a payment or without, and costs nobody anything: there is no
//! content in it that could be sold.

use super::{Finding, Hint, History, Rule, Source, Violation, history::At};
use reports::{
    event::{Answer, Exchange, TenantRun},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "ANSWER-3",
    checker: "head-is-free",
    says: "ANSWER-3: a HEAD gets the GET's 402 and costs nothing, paid or not",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Peer { checks: "R16" }],
    hint: Hint {
        cause: "a HEAD is treated as the GET that it looks like",
        look_at: "dispatcher/core/src/dispatcher.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let ran = history.runs_by_request();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        if exchange.method != "HEAD" || !history.is_priced(&exchange) {
            continue;
        }
        looked_at += 1;
        violations.extend(is_free(history, exchange, answer, &ran).err());
    }
    Finding::of(looked_at, "HEAD requests", violations)
}

fn is_free(
    history: &History,
    exchange: At<'_, Exchange>,
    answer: &Answer,
    ran: &BTreeMap<&str, At<'_, TenantRun>>,
) -> Result<(), Violation> {
    if answer.status != 402 || !answer.offered {
        return Err(Violation::new("it is not the 402 with an offer that a GET gets", exchange.line));
    }
    if let Some(run) = answer.request_id.as_deref().and_then(|id| ran.get(id)) {
        return Err(Violation::new("it made the tenant run", exchange.line).and([run.line]));
    }
    // A GET with the same payment may follow and be charged; a HEAD must leave it untouched.
    let payment = exchange.payment.as_deref().unwrap_or_default();
    match history.settles_of(payment).find(|call| call.received_us < exchange.ended_us) {
        Some(call) => Err(Violation::new("its payment was settled", exchange.line).and([call.line])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::ExchangeKind, verdict::Verdict};

    fn head(exchange: &mut Exchange, answer: &mut Answer) {
        exchange.method = "HEAD".to_owned();
        answer.offered = true;
    }

    #[test]
    fn an_offer_for_nothing_is_a_pass() {
        let story = Story::new().sent("p1", ExchangeKind::Payment, 402, head).settled("p1", "primary").served("p1");
        assert_eq!(judge(&story.history()).verdict, Verdict::Pass);
    }

    #[test]
    fn content_a_run_and_a_settlement_are_seen() {
        let served = Story::new().sent("p1", ExchangeKind::Payment, 200, head);
        let ran = Story::new().sent("p1", ExchangeKind::Payment, 402, head).ran_for_it();
        let settled = Story::new().settled("p1", "primary").sent("p1", ExchangeKind::Payment, 402, head);
        let cases: [(Story, &[usize]); 3] = [(served, &[2]), (ran, &[2, 3]), (settled, &[3, 4])];
        for (story, lines) in cases {
            assert_eq!(shown(&judge(&story.history())), lines);
        }
    }
}
