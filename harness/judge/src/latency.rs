//! LATENCY: a quantile of a phase's latency, measured from when a request was due.

use super::{Finding, Hint, History, Rule, Source, Violation, history::At};
use reports::{
    event::{Exchange, ExchangeOutcome},
    latency::Latencies,
    level::Level,
    verdict::Verdict,
};
use std::time::Duration;

pub const RULE: Rule = Rule {
    id: "LATENCY",
    checker: "latency",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "wrk2",
            says: "latency counts from when a request was due, or a server that makes callers queue hides it",
        },
        Source::Incident {
            thread: "x402-foundation/x402#1062",
            what: "a facilitator's time-out was shorter than a block's confirmation",
        },
    ],
    hint: Hint {
        cause: "a call is waited for that need not be: a second facilitator, the ledger, a retry; the slowest requests tell which",
        look_at: "dispatcher/x402-paywall/src/facilitator/time_out.rs",
    },
};

pub fn judge(history: &History, phase: &str, quantile: f64, at_most: Duration) -> Finding {
    let latencies = Latencies::of(&history.events);
    let Some(seen) = latencies.quantile(phase, quantile) else {
        return Finding::unknown(format!("no request was due in {phase}"));
    };
    let detail =
        format!("p{quantile} of {phase} is {} ms, at most {} ms wanted", seen.as_millis(), at_most.as_millis());
    if seen <= at_most {
        return Finding { verdict: Verdict::Pass, detail, violations: Vec::new(), is_idle: false };
    }
    let violations = Vec::from_iter(slowest(history, phase, quantile));
    Finding { verdict: Verdict::Fail, detail, violations, is_idle: false }
}

/// So many of the slowest that the quantile is among them.
fn slowest(history: &History, phase: &str, quantile: f64) -> Option<Violation> {
    let took = |exchange: &Exchange| exchange.ended_us.saturating_sub(exchange.due_us);
    let waited = |exchange: &At<'_, Exchange>| exchange.phase == phase && exchange.outcome != ExchangeOutcome::HungUp;
    let mut exchanges: Vec<_> = history.exchanges().filter(waited).collect();
    exchanges.sort_by_key(|exchange| std::cmp::Reverse(took(exchange)));
    let faster = (exchanges.len() as f64 * quantile / 100.0).ceil() as usize;
    exchanges.truncate((exchanges.len() + 1).saturating_sub(faster).max(1));
    let first = exchanges.first()?;
    let what = format!("the slowest took {} ms", took(first) / 1_000);
    Some(Violation::new(what, first.line).and(exchanges.iter().map(|exchange| exchange.line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_phase_over_its_bound_is_seen() {
        let history = Story::new().phase("steady").served("p1").history();
        let verdict = |phase, millis| judge(&history, phase, 95.0, Duration::from_millis(millis)).verdict;
        assert_eq!(verdict("steady", 60_000), Verdict::Pass);
        assert_eq!(verdict("steady", 0), Verdict::Fail);
        let slow = |exchange: &mut reports::event::Exchange, _: &mut _| exchange.ended_us += 9_000_000;
        let kind = reports::event::ExchangeKind::Payment;
        let one_of_three = Story::new().phase("steady").served("p1").sent("p2", kind, 200, slow).served("p3").history();
        assert_eq!(shown(&judge(&one_of_three, "steady", 95.0, Duration::from_secs(1))), [4]);
        assert_eq!(judge(&one_of_three, "steady", 50.0, Duration::from_secs(1)).verdict, Verdict::Pass);
        assert_eq!(verdict("outage", 60_000), Verdict::Unknown);
    }
}
