//! LIVE-2: every request ends, once, with one terminal event: one end at the client, and one line at the dispatcher.
//!
//! A kill excuses what it cut: an exchange that was open then, and a line of the second before it.

use super::{Finding, Hint, History, Rule, Source, Violation, history::At};
use reports::{
    event::{DispatcherRequest, ExchangeOutcome},
    level::Level,
};
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule {
    id: "LIVE-2",
    checker: "every-request-ends-once",
    says: "LIVE-2: every request ends, once",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "x402-foundation/x402#831",
            what: "what a client may expect when a request times out is undocumented",
        },
        Source::Promise { place: "README.md, What the caller gets", what: "x-request-id is on every response" },
    ],
    hint: Hint {
        cause: "a path ends without an answer or a log line, or a panic takes the isolate's other requests with it",
        look_at: "dispatcher/core/src/dispatcher.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let arrived: BTreeSet<u64> = history.exchanges().map(|exchange| exchange.arrival).collect();
    if arrived.len() as u64 != history.arrivals {
        let what = format!("{} clients were to arrive, {} did", history.arrivals, arrived.len());
        violations.push(Violation::new(what, history.first_line()));
    }
    let mut lines: BTreeMap<&str, Vec<At<'_, DispatcherRequest>>> = BTreeMap::new();
    for line in history.requests() {
        lines.entry(&line.what.request_id).or_default().push(line);
    }
    let (mut requests, mut cut, mut hung_up) = (0, 0, 0);
    let mut answered: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for exchange in history.exchanges() {
        requests += 1;
        match &exchange.what.outcome {
            ExchangeOutcome::Failed { .. } if history.was_cut(&exchange) => cut += 1,
            ExchangeOutcome::Failed { what } => {
                violations.push(Violation::new(format!("a request was not answered: {what}"), exchange.line));
            }
            ExchangeOutcome::HungUp => hung_up += 1,
            ExchangeOutcome::Answered(answer) => match answer.request_id.as_deref() {
                None => violations.push(Violation::new("an answer has no x-request-id", exchange.line)),
                Some(id) => {
                    answered.entry(id).or_default().push(exchange.line);
                    let logged = lines.get(id).map_or(&[][..], Vec::as_slice);
                    let lost = logged.is_empty() && history.line_may_be_lost(exchange.ended_us);
                    // Whoever asks the platform API is no caller, and has a line of another kind.
                    let is_operators = exchange.target.starts_with("/__platform/");
                    if logged.len() != 1 && !lost && !is_operators {
                        let what = format!("the dispatcher logged request {id} {} times", logged.len());
                        let twice = logged.iter().take(2).map(|line| line.line);
                        violations.push(Violation::new(what, exchange.line).and(twice));
                    }
                }
            },
        }
    }
    for (id, answers) in &answered {
        if let [first, second, ..] = answers[..] {
            let what = format!("request id {id} was given to {} answers", answers.len());
            violations.push(Violation::new(what, first).and([second]));
        }
    }
    // Whoever hung up never learnt its request's id, and the dispatcher may have had no occasion to end it.
    let unanswered = lines.iter().filter(|(id, _)| !answered.contains_key(*id));
    let unexcused = unanswered.filter(|(_, printed)| !printed.iter().any(|line| history.line_may_be_lost(line.at_us)));
    for (id, printed) in unexcused.skip(hung_up) {
        let what = format!("the dispatcher logged request {id}, which no client got an answer to");
        violations.extend(printed.first().map(|line| Violation::new(what, line.line)));
    }
    let finding = Finding::of(requests, "requests", violations);
    if cut == 0 {
        return finding;
    }
    let detail = format!("{}; {cut} were cut by a kill", finding.detail);
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
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
        assert_eq!(shown(&judge(&later.history())), [4]);
        let earlier = Story::new().unpaid().pause(2).killed().restarted().arrivals(1);
        assert_eq!(shown(&judge(&earlier.history())), [2]);
    }

    #[test]
    fn a_request_without_an_end_or_a_line_or_with_two_is_seen() {
        let logged = || Story::new().unpaid().logged();
        let cases: [(Story, &[usize]); 5] = [
            (Story::new().unpaid().arrivals(1), &[2]),
            (logged().logged().arrivals(1), &[2, 3, 4]),
            (logged().arrivals(2), &[1]),
            (logged().failed("reset").arrivals(2), &[4]),
            (logged().logged_with(|line| line.request_id = "nobody's".to_owned()).arrivals(1), &[4]),
        ];
        for (story, lines) in cases {
            assert_eq!(shown(&judge(&story.history())), lines);
        }
    }
}
