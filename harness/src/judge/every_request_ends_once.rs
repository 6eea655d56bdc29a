//! LIVE-2: every request ends, once, with one terminal event: one end at the client, and one line at the dispatcher.

use super::{Finding, History, history::tell};
use reports::event::ExchangeOutcome;
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let arrived: BTreeSet<u64> = history.exchanges.iter().map(|exchange| exchange.arrival).collect();
    if arrived.len() as u64 != history.arrivals {
        violations.push(format!("{} clients were to arrive, {} did", history.arrivals, arrived.len()));
    }
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &history.requests {
        *lines.entry(&line.request_id).or_default() += 1;
    }
    let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut hung_up = 0;
    for exchange in &history.exchanges {
        match &exchange.outcome {
            ExchangeOutcome::Failed { .. } => violations.push(tell(exchange)),
            ExchangeOutcome::HungUp => hung_up += 1,
            ExchangeOutcome::Answered(answer) => match answer.request_id.as_deref() {
                None => violations.push(format!("{}: it has no x-request-id", tell(exchange))),
                Some(id) => {
                    *answered.entry(id).or_default() += 1;
                    let count = lines.get(id).copied().unwrap_or(0);
                    if count != 1 {
                        violations.push(format!("{}: the dispatcher logged it {count} times", tell(exchange)));
                    }
                }
            },
        }
    }
    for (id, count) in answered.iter().filter(|(_, count)| **count > 1) {
        violations.push(format!("request id {id} was given to {count} answers"));
    }
    // Whoever hung up never learnt its request's id, and the dispatcher may have had no occasion to end it.
    let unanswered: Vec<_> = lines.keys().filter(|id| !answered.contains_key(*id)).collect();
    for id in unanswered.iter().skip(hung_up) {
        violations.push(format!("the dispatcher logged request {id}, which no client got an answer to"));
    }
    Finding::of(history.exchanges.len(), "requests", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn one_end_and_one_line_each_is_a_pass() {
        let history = Story::new().unpaid().logged().unpaid().logged().arrivals(2).history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_request_without_an_end_or_a_line_or_with_two_is_seen() {
        for story in [
            Story::new().unpaid().arrivals(1),
            Story::new().unpaid().logged().logged().arrivals(1),
            Story::new().unpaid().logged().arrivals(2),
            Story::new().unpaid().logged().failed("reset").arrivals(2),
        ] {
            assert_eq!(judge(&story.history()).verdict, Verdict::Fail);
        }
    }
}
