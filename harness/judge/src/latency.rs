//! LATENCY: a quantile of a phase's latency, measured from when a request was due; of all requests, or of those of one traffic
//! block, kind of client or tenant, so that a flood cannot hide what buyers wait for.
//!
//! What waited while others had the machine's CPU is held against nobody: if the bound is missed by those alone, nothing is known.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    history::At,
};
use grammar::{
    Name, Problem, Problems, show,
    text::{NameText, TimeText},
};
use reports::{
    event::{Event, Exchange, ExchangeOutcome, MachineLoad},
    level::Level,
    machine,
    verdict::Verdict,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fmt, time::Duration};
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "LATENCY",
    checker: "latency",
    says: "LATENCY-…: a quantile of a phase's latency, from when a request was due, stays below a bound",
    example: "{ phase = \"steady\", quantile = 95.0, at-most = \"900ms\" }",
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

/// Whose requests a latency is of: all that are not told apart, unless it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// A traffic block's name.
    pub traffic: Option<Name>,
    /// A kind of client, as a mix names it.
    pub client: Option<Name>,
    /// A tenant's id.
    pub tenant: Option<Name>,
}

impl fmt::Display for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, name) in [("traffic", &self.traffic), ("client", &self.client), ("tenant", &self.tenant)] {
            if let Some(name) = name {
                write!(f, " ({what} {name})")?;
            }
        }
        Ok(())
    }
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawLatency {
    #[schemars(with = "NameText")]
    phase: Spanned<String>,
    /// In percent.
    #[schemars(with = "f64", extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 100))]
    quantile: Spanned<f64>,
    #[schemars(with = "TimeText")]
    at_most: Spanned<String>,
    /// Only the requests of this traffic block.
    #[schemars(with = "Option<NameText>")]
    traffic: Option<Spanned<String>>,
    /// Only the requests of this kind of client.
    #[schemars(with = "Option<NameText>")]
    client: Option<Spanned<String>>,
    /// Only requests to this tenant.
    #[schemars(with = "Option<NameText>")]
    tenant: Option<Spanned<String>>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    phase: Name,
    /// In percent: above 0 and below 100.
    quantile: f64,
    at_most: Duration,
    callers: Callers,
}

impl RawLatency {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<Latency> {
        let callers = Callers {
            traffic: self.traffic.and_then(|raw| about::traffic(&raw, about, problems)),
            client: self.client.and_then(|raw| about::client(&raw, about, problems)),
            tenant: self.tenant.and_then(|raw| about::tenant(&raw, about, problems)),
        };
        let bound = about::bound(&self.at_most, about, problems);
        let percent = *self.quantile.get_ref();
        if !(percent > 0.0 && percent < 100.0) {
            let what = "a quantile is in percent, above 0 and below 100";
            let problem = Problem::new(self.quantile.span(), what, "out of range");
            problems.add(problem.help("the median is 50.0, p95 is 95.0"));
            return None;
        }
        let found = about.timeline().find(&self.phase, problems)?;
        if !about.traffic().iter().any(|(_, window)| window.overlaps(&found.window())) && problems.is_empty() {
            let what = "the phase has no traffic to measure";
            problems.add(Problem::new(self.phase.span(), what, "nothing arrives in it"));
            return None;
        }
        Some(Latency { phase: found.name().clone(), quantile: percent, at_most: bound?, callers })
    }
}

impl Latency {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let Self { phase, quantile, at_most, callers } = self;
        format!("p{quantile} of {phase}{callers} is at most {}", show(*at_most))
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.phase.as_str(), self.quantile, self.at_most, &self.callers)
    }
}

/// Others that have so much of all cores make whoever else is there wait.
const OTHERS_HAVE: f64 = 0.25;
/// A reading is of the time before it.
const READING_US: u64 = 1_000_000;

fn judge(history: &History, phase: &str, quantile: f64, at_most: Duration, callers: &Callers) -> Finding {
    let exchanges = slowest_first(history, phase, callers);
    if exchanges.is_empty() {
        return Finding::unknown(format!("no request was due in {phase}{callers}"));
    }
    // So many of the slowest that the quantile is the last of them.
    let faster = (exchanges.len() as f64 * quantile / 100.0).ceil() as usize;
    let counted = (exchanges.len() + 1).saturating_sub(faster).max(1);
    let seen_us = took(&exchanges[counted - 1]);
    let bound_us = at_most.as_micros() as u64;
    let detail =
        format!("p{quantile} of {phase}{callers} is {} ms, at most {} ms wanted", seen_us / 1_000, at_most.as_millis());
    if seen_us <= bound_us {
        return Finding { verdict: Verdict::Pass, detail, violations: Vec::new(), is_idle: false };
    }
    let slow = &exchanges[..exchanges.partition_point(|exchange| took(exchange) > bound_us)];
    let others = Others::of(history);
    let beside: Vec<f64> = slow.iter().filter_map(|exchange| others.beside(exchange)).collect();
    // Without those that others may have slowed, the quantile would be within the bound.
    if slow.len() - beside.len() < counted {
        let most = beside.iter().copied().fold(0.0, f64::max);
        let (slow, beside, cores) = (slow.len(), beside.len(), others.cores);
        return Finding::unknown(format!(
            "{detail}; but others had up to {most:.1} of the machine's {cores} cores while {beside} of the {slow} that were too \
             slow waited"
        ));
    }
    let shown: Vec<_> = exchanges[..counted].iter().map(|exchange| exchange.line).collect();
    let what = format!("the slowest took {} ms", took(&exchanges[0]) / 1_000);
    let violations = vec![Violation::ranked(what, shown[0], shown[1..].iter().copied())];
    Finding { verdict: Verdict::Fail, detail, violations, is_idle: false }
}

fn took(exchange: &Exchange) -> u64 {
    exchange.ended_us.saturating_sub(exchange.due_us)
}

/// How long a client waits before it hangs up says nothing of the dispatcher.
fn slowest_first<'a>(history: &'a History, phase: &str, callers: &Callers) -> Vec<At<'a, Exchange>> {
    let is = |name: &Option<Name>, what: &str| name.as_ref().is_none_or(|name| name.as_str() == what);
    let is_meant = |exchange: &At<'_, Exchange>| {
        let theirs = is(&callers.traffic, &exchange.traffic) && is(&callers.client, &exchange.client);
        theirs && is(&callers.tenant, &exchange.tenant)
    };
    let waited = |exchange: &At<'_, Exchange>| exchange.phase == phase && exchange.outcome != ExchangeOutcome::HungUp;
    let mut exchanges: Vec<_> = history.exchanges().filter(|exchange| waited(exchange) && is_meant(exchange)).collect();
    exchanges.sort_by_key(|exchange| (std::cmp::Reverse(took(exchange)), exchange.line));
    exchanges
}

/// The load of the machine beside the run, second by second.
struct Others {
    cores: u32,
    readings: Vec<(u64, f64)>,
}

impl Others {
    fn of(history: &History) -> Self {
        let loads = history.lines().filter_map(|(_, recorded)| match &recorded.event {
            Event::MachineLoad(load) => Some((recorded.at_us, *load)),
            _ => None,
        });
        let loads: Vec<(u64, MachineLoad)> = loads.collect();
        let cores = loads.first().map_or(1, |(_, load)| load.cores);
        Self { cores, readings: loads.iter().map(|(at_us, load)| (*at_us, machine::others(load))).collect() }
    }

    /// The most that they had while the exchange waited, if that is much.
    fn beside(&self, exchange: &Exchange) -> Option<f64> {
        let overlaps = |at_us: u64| at_us > exchange.due_us && at_us.saturating_sub(READING_US) < exchange.ended_us;
        let had = self.readings.iter().filter(|(at_us, _)| overlaps(*at_us)).map(|(_, had)| *had).fold(0.0, f64::max);
        (had >= f64::from(self.cores) * OTHERS_HAVE).then_some(had)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::event::ExchangeKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn everybody(history: &History, quantile: f64, at_most: Duration) -> Finding {
        judge(history, "steady", quantile, at_most, &Callers::default())
    }

    fn slower(seconds: u64) -> impl Fn(&mut Exchange, &mut reports::event::Answer) {
        move |exchange, _| exchange.ended_us += seconds * 1_000_000
    }

    #[test]
    fn a_phase_over_its_bound_is_seen() {
        let history = Story::new().phase("steady").served("p1").history();
        assert_eq!(everybody(&history, 95.0, 60 * SECOND).verdict, Verdict::Pass);
        assert_eq!(everybody(&history, 95.0, Duration::ZERO).verdict, Verdict::Fail);
        let kind = ExchangeKind::Payment;
        let one_of_three =
            Story::new().phase("steady").served("p1").sent("p2", kind, 200, slower(9)).served("p3").history();
        assert_eq!(shown(&everybody(&one_of_three, 95.0, SECOND)), [4]);
        assert_eq!(everybody(&one_of_three, 50.0, SECOND).verdict, Verdict::Pass);
        let elsewhere = judge(&history, "outage", 95.0, 60 * SECOND, &Callers::default());
        assert_eq!(elsewhere.verdict, Verdict::Unknown);
    }

    #[test]
    fn what_shows_it_is_the_slowest_first() {
        let kind = ExchangeKind::Payment;
        let history =
            Story::new().phase("steady").sent("p1", kind, 200, slower(5)).sent("p2", kind, 200, slower(9)).history();
        let lines = shown(&everybody(&history, 10.0, SECOND));
        assert_eq!(lines.len(), 2);
        assert!(lines[0] > lines[1], "the second waited longer: {lines:?}");
    }

    #[test]
    fn a_flood_of_others_does_not_hide_what_one_kind_of_caller_waits_for() {
        let kind = ExchangeKind::Payment;
        let mut story = Story::new().phase("steady").by("paid").sent("p1", kind, 200, slower(9)).by("unpaid");
        for n in 0..40 {
            story = story.served(&format!("q{n}"));
        }
        let history = story.history();
        assert_eq!(everybody(&history, 95.0, SECOND).verdict, Verdict::Pass);
        let callers = |client: &str| Callers { client: Name::new(client), ..Callers::default() };
        assert_eq!(judge(&history, "steady", 95.0, SECOND, &callers("paid")).verdict, Verdict::Fail);
        assert_eq!(judge(&history, "steady", 95.0, SECOND, &callers("unpaid")).verdict, Verdict::Pass);
        assert_eq!(judge(&history, "steady", 95.0, SECOND, &callers("nobody")).verdict, Verdict::Unknown);
    }

    #[test]
    fn what_waited_while_others_had_the_machine_is_held_against_nobody() {
        let kind = ExchangeKind::Payment;
        let with = |others: f64| {
            let slow = Story::new().phase("steady").sent("p1", kind, 200, slower(9));
            everybody(&slow.machine(0.4, others).history(), 95.0, SECOND)
        };
        assert_eq!(with(0.1).verdict, Verdict::Fail, "the machine had room");
        let busy = with(1.4);
        assert_eq!(busy.verdict, Verdict::Unknown);
        assert!(busy.detail.contains("others had up to 1.4 of the machine's 2 cores"), "{}", busy.detail);
    }
}
