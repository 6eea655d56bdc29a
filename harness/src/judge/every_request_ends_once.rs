//! LIVE-2: every request ends, once, with one terminal event: one end at the client, and one line at the dispatcher.
//!
//! A kill excuses what it cut: an exchange that was open then, and a line of the second before it.

use super::{Finding, History, history::tell};
use reports::event::{Event, ExchangeOutcome};
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let arrived: BTreeSet<u64> = history.exchanges.iter().map(|exchange| exchange.arrival).collect();
    if arrived.len() as u64 != history.arrivals {
        violations.push(format!("{} clients were to arrive, {} did", history.arrivals, arrived.len()));
    }
    let mut lines: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for recorded in &history.events {
        if let Event::DispatcherRequest(line) = &recorded.event {
            lines.entry(&line.request_id).or_default().push(recorded.at_us);
        }
    }
    let mut cut = 0;
    let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut hung_up = 0;
    for exchange in &history.exchanges {
        match &exchange.outcome {
            ExchangeOutcome::Failed { .. } if history.was_cut(exchange) => cut += 1,
            ExchangeOutcome::Failed { .. } => violations.push(tell(exchange)),
            ExchangeOutcome::HungUp => hung_up += 1,
            ExchangeOutcome::Answered(answer) => match answer.request_id.as_deref() {
                None => violations.push(format!("{}: it has no x-request-id", tell(exchange))),
                Some(id) => {
                    *answered.entry(id).or_default() += 1;
                    let count = lines.get(id).map_or(0, Vec::len);
                    let lost = count == 0 && history.line_may_be_lost(exchange.ended_us);
                    if count != 1 && !lost {
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
    let unanswered = lines.iter().filter(|(id, _)| !answered.contains_key(*id));
    let unexcused = unanswered.filter(|(_, printed)| !printed.iter().any(|at_us| history.line_may_be_lost(*at_us)));
    for (id, _) in unexcused.skip(hung_up) {
        violations.push(format!("the dispatcher logged request {id}, which no client got an answer to"));
    }
    let finding = Finding::of(history.exchanges.len(), "requests", violations);
    if cut == 0 {
        return finding;
    }
    let detail = format!("{}; {cut} were cut by a kill", finding.detail);
    finding.with_detail(detail)
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
    fn a_kill_excuses_what_it_cut_and_nothing_else() {
        let cut = Story::new().killed().failed("refused").restarted().unpaid().logged().arrivals(2);
        assert_eq!(judge(&cut.history()).verdict, Verdict::Pass);
        let unlogged = Story::new().unpaid().killed().restarted().arrivals(1);
        assert_eq!(judge(&unlogged.history()).verdict, Verdict::Pass);
        let later = Story::new().killed().restarted().failed("refused").arrivals(1);
        assert_eq!(judge(&later.history()).verdict, Verdict::Fail);
        let earlier = Story::new().unpaid().pause(2).killed().restarted().arrivals(1);
        assert_eq!(judge(&earlier.history()).verdict, Verdict::Fail);
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
