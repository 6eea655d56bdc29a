//! ANSWER-3: a HEAD gets the 402 that a GET would, with a payment or without, and costs nobody anything: there is no
//! content in it that could be sold.

use super::{Finding, History, history::tell};
use reports::event::{Answer, Exchange};
use std::collections::BTreeSet;

pub fn judge(history: &History) -> Finding {
    let ran: BTreeSet<&str> = history.tenant_runs.iter().filter_map(|run| run.request_id.as_deref()).collect();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let priced = history.tenants.get(&exchange.tenant).is_some_and(|tenant| tenant.price.is_some());
        if exchange.method != "HEAD" || !priced {
            continue;
        }
        looked_at += 1;
        if let Err(why) = is_free(history, exchange, answer, &ran) {
            violations.push(format!("{}: {why}", tell(exchange)));
        }
    }
    Finding::of(looked_at, "HEAD requests", violations)
}

fn is_free(history: &History, exchange: &Exchange, answer: &Answer, ran: &BTreeSet<&str>) -> Result<(), String> {
    if answer.status != 402 || !answer.offered {
        return Err("it is not the 402 with an offer that a GET gets".to_owned());
    }
    if answer.request_id.as_deref().is_some_and(|id| ran.contains(id)) {
        return Err("it made the tenant run".to_owned());
    }
    // A GET with the same payment may follow and be charged; a HEAD must leave it untouched.
    let payment = exchange.payment.as_deref().unwrap_or_default();
    let asked = history.settles_of(payment).iter().any(|call| call.received_us < exchange.ended_us);
    if asked {
        return Err("its payment was settled".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
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
        for story in [served, ran, settled] {
            assert_eq!(judge(&story.history()).verdict, Verdict::Fail);
        }
    }
}
