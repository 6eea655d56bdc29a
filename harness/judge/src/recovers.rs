//! LIVE-1: once a fault has healed, success is back at its steady level within the bound, and so is the time that it takes. The
//! steady level is what the first phase had, before anything was injected: one at which most failed is none. Resent payments are left
//! to the money rules: they began earlier.
//!
//! Surprising constraint: what takes long may be the machine's other work. Where others had much more of it, nothing is known.

use super::{Finding, Hint, History, Rule, Source, Violation, about::About, history::At};
use grammar::{
    Name, Problem, Problems, show,
    text::{NameText, TimeText},
    time,
};
use reports::{
    event::{Event, Exchange, ExchangeKind, ExchangeOutcome},
    level::Level,
    report::PhaseSummary,
    summary,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "LIVE-1",
    checker: "recovers",
    says: "LIVE-1: success is back at its steady level within a bound after a phase",
    example: "{ after = \"outage\", within = \"5s\" }",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "cloudflare/workers-sdk#11629",
            what: "Workers that ran out of CPU kept failing afterwards",
        },
        Source::Promise {
            place: "ARCHITECTURE.md, Whom payments rely on",
            what: "a quarantined facilitator is probed until it answers",
        },
    ],
    hint: Hint {
        cause: "nothing probes what was given up, or its pauses grow past the bound",
        look_at: "dispatcher/x402-paywall/src/health/monitor.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawRecovers {
    /// The bound, from the end of that phase.
    #[schemars(with = "TimeText")]
    within: Spanned<String>,
    /// The phase that ends in health.
    #[schemars(with = "NameText")]
    after: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovers {
    /// The bound, from the end of `after`.
    within: Duration,
    after: Name,
}

impl RawRecovers {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<Recovers> {
        let Self { within, after } = self;
        let (bound, timeline) = (time::check_positive(&within, problems), about.timeline());
        let phase = timeline.find(&after, problems)?;
        let (bound, healed) = (bound?, phase.window().to());
        if healed + bound > timeline.end() {
            let left = timeline.end().checked_sub(healed).unwrap_or(Duration::ZERO);
            let label = format!("only {} are left after {}", show(left), phase.name());
            let problem = Problem::new(within.span(), "the run ends before recovery is due", label);
            problems.add(problem.help("let the traffic go on for longer, or give it less time to recover"));
            return None;
        }
        // What has not healed cannot recover: the blame would fall on the dispatcher.
        if let Some((number, ends)) = about.fault_beyond(healed + bound) {
            let what = format!("fault {number} of the file is still on when recovery is due");
            let label = format!("healed at {}, and the fault ends at {}", show(healed), show(ends));
            let help = "end the fault with the phase, or name a later phase";
            problems.add(Problem::new(after.span(), what, label).help(help));
            return None;
        }
        Some(Recovers { within: bound, after: phase.name().clone() })
    }
}

impl Recovers {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!("success is back at its steady level within {} after {}", show(self.within), self.after)
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.after.as_str(), self.within)
    }
}

fn judge(history: &History, after: &str, within: Duration) -> Finding {
    let phases = summary::phases(&history.events);
    let Some(healed_us) = phases.iter().find(|phase| phase.name == after).map(|phase| phase.to_ms * 1000) else {
        return Finding::unknown(format!("phase {after} never was"));
    };
    let Some(first) = phases.first() else { return Finding::unknown("no phase began") };
    let begun: Vec<_> = history.exchanges().filter(|exchange| exchange.kind != ExchangeKind::Resend).collect();
    let steady: Vec<_> = begun.iter().copied().filter(|exchange| exchange.phase == first.name).collect();
    let bound_us = healed_us + within.as_micros() as u64;
    let late: Vec<_> = begun.iter().copied().filter(|exchange| exchange.due_us >= bound_us).collect();
    if steady.is_empty() || late.is_empty() {
        return Finding::unknown("no traffic in the first phase, or none after the bound");
    }
    let (steady_bad, late_bad) = (bad(&steady), bad(&late));
    // Shares, crosswise, so that nothing is rounded: so many more show that it is worse than it was.
    let fewest = steady_bad.len() * late.len() / steady.len() + 1;
    let mut violations = Vec::from_iter(late_bad.get(..fewest).map(|worse| {
        let what = format!("{} of {} requests failed after the bound", late_bad.len(), late.len());
        Violation::new(what, worse[0].line).and(worse.iter().map(|exchange| exchange.line))
    }));
    if let Some(unwell) = steady_bad.first().filter(|_| 2 * steady_bad.len() > steady.len()) {
        let what = format!("{} of {} requests failed before anything was injected", steady_bad.len(), steady.len());
        violations.push(Violation::new(what, unwell.line));
    }
    let slower = Slower::of(&steady, &late);
    if slower.is_no_recovery() {
        if let Some(told) = others_had_more(history, first, bound_us) {
            return Finding::unknown(format!("{}; {told}", slower.tell()));
        }
        let slowest = late.iter().max_by_key(|exchange| took_us(exchange)).expect("some are late");
        violations.push(Violation::new(slower.tell(), slowest.line));
    }
    let healing: Vec<_> =
        begun.iter().copied().filter(|exchange| (healed_us..bound_us).contains(&exchange.due_us)).collect();
    let last_bad_us = bad(&healing).iter().map(|exchange| exchange.due_us).max();
    let took = last_bad_us
        .map_or_else(|| "at once".to_owned(), |last| format!("{:.1} s after", (last - healed_us) as f64 / 1e6));
    let finding = Finding::of(late.len(), "requests due after the bound", violations);
    let detail = format!(
        "{} of {} requests due after the bound failed; steady success {:.1} %, back {took}; {}",
        late_bad.len(),
        late.len(),
        100.0 * (steady.len() - steady_bad.len()) as f64 / steady.len() as f64,
        slower.tell()
    );
    finding.with_detail(detail)
}

/// A median that is so many times the steady one is no recovery,
const TIMES: u64 = 10;
/// unless it is hardly more: a simulated request takes a millisecond.
const MORE_US: u64 = 500_000;
/// Cores that others may have used more, by then, before they may be why.
const OTHERS_ROSE: f64 = 0.5;

/// The time of the middle request, in microseconds, before and after.
struct Slower {
    before: u64,
    after: u64,
}

impl Slower {
    fn of(steady: &[At<'_, Exchange>], late: &[At<'_, Exchange>]) -> Self {
        Self { before: median(steady), after: median(late) }
    }

    fn is_no_recovery(&self) -> bool {
        self.after > self.before * TIMES && self.after > self.before + MORE_US
    }

    fn tell(&self) -> String {
        format!("the median is {} ms after {} ms", self.after / 1_000, self.before / 1_000)
    }
}

fn took_us(exchange: &Exchange) -> u64 {
    exchange.ended_us.saturating_sub(exchange.due_us)
}

fn median(exchanges: &[At<'_, Exchange>]) -> u64 {
    // One that hung up took as long as it liked.
    let waited = exchanges.iter().filter(|exchange| exchange.outcome != ExchangeOutcome::HungUp);
    let mut times: Vec<u64> = waited.map(|exchange| took_us(exchange)).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Tells of the machine, if others had much more of it from `since_us` on than in the first phase.
fn others_had_more(history: &History, first: &PhaseSummary, since_us: u64) -> Option<String> {
    let mean = |window: std::ops::Range<u64>| {
        let loads = history.events.iter().filter_map(|recorded| match &recorded.event {
            Event::MachineLoad(load) if window.contains(&recorded.at_us) => Some((load.busy - load.ours).max(0.0)),
            _ => None,
        });
        let loads: Vec<f64> = loads.collect();
        (!loads.is_empty()).then(|| loads.iter().sum::<f64>() / loads.len() as f64)
    };
    let (before, after) = (mean(first.from_ms * 1_000..first.to_ms * 1_000)?, mean(since_us..u64::MAX)?);
    (after > before + OTHERS_ROSE).then(|| format!("others had {after:.1} cores of the machine after {before:.1}"))
}

/// Clients that use a payment once. The empty one is of histories from before clients had names.
const BUYERS: [&str; 3] = ["", "paid", "paid-v1"];

/// Requests that did not get what their sender came for.
fn bad<'a>(exchanges: &[At<'a, Exchange>]) -> Vec<At<'a, Exchange>> {
    let good = |exchange: &Exchange| match (&exchange.outcome, exchange.kind) {
        (ExchangeOutcome::Answered(_), _) if exchange.flaw.is_some() => true,
        (ExchangeOutcome::Answered(answer), _) if exchange.method == "HEAD" => answer.status == 402,
        (ExchangeOutcome::Answered(answer), ExchangeKind::Unpaid | ExchangeKind::Challenge) => {
            (200..300).contains(&answer.status) || (answer.status == 402 && answer.offered)
        }
        (ExchangeOutcome::Answered(answer), ExchangeKind::Payment | ExchangeKind::Resend) => {
            // One that only buys is never told that its payment is spent; those that race and replay are there for it.
            let spent = answer.status == 409 && !BUYERS.contains(&exchange.client.as_str());
            (200..300).contains(&answer.status) || spent
        }
        // They came to be refused, or did not wait for more.
        (
            ExchangeOutcome::Answered(_),
            ExchangeKind::Duplicate | ExchangeKind::Elsewhere | ExchangeKind::Preflight | ExchangeKind::Stolen,
        )
        | (ExchangeOutcome::HungUp, _) => true,
        (ExchangeOutcome::Failed { .. }, _) => false,
    };
    exchanges.iter().filter(|exchange| !good(exchange)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn story() -> Story {
        Story::new().phase("steady").served("p1").served("p2").phase("outage").phase("recovery")
    }

    #[test]
    fn success_that_comes_back_is_a_pass() {
        let history = story().served("p3").history();
        assert_eq!(judge(&history, "outage", Duration::ZERO).verdict, Verdict::Pass);
    }

    #[test]
    fn success_that_stays_away_is_seen() {
        let history = story().served("p3").answered(Some("p4"), 503, |_| {}).history();
        assert_eq!(shown(&judge(&history, "outage", Duration::ZERO)), [8]);
        // With one failure of three before, one of two is worse; and it takes one to show it.
        let before = Story::new().phase("steady").served("p1").served("p2").answered(Some("p3"), 503, |_| {});
        let after = before.phase("outage").phase("recovery").served("p4").answered(Some("p5"), 503, |_| {});
        assert_eq!(shown(&judge(&after.history(), "outage", Duration::ZERO)), [9]);
    }

    #[test]
    fn success_that_comes_back_sixty_times_as_slow_is_no_recovery() {
        let slow = |exchange: &mut Exchange, _: &mut _| exchange.ended_us += 30_000_000;
        let late = story().sent("p3", ExchangeKind::Payment, 200, slow).history();
        let found = judge(&late, "outage", Duration::ZERO);
        assert_eq!((found.verdict, shown(&found).len()), (Verdict::Fail, 1), "{}", found.detail);
        assert!(found.detail.contains("the median is "), "{}", found.detail);
    }

    #[test]
    fn no_traffic_afterwards_is_unknown() {
        assert_eq!(judge(&story().history(), "outage", Duration::ZERO).verdict, Verdict::Unknown);
    }
}
