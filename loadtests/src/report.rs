//! What a load test found, for the gate and for people.

use std::fmt::Write;

use gate::{CheckRecord, Outcome};
use harness::exit::Exit;
use reports::{
    level::Level,
    report::{Check, Report},
    verdict::Verdict,
};
use serde::{Deserialize, Serialize};

use crate::open::Quantiles;

const LOAD_SCHEMA: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadReport {
    pub schema: u32,
    pub command: String,
    pub outcome: Outcome,
    pub checks: Vec<CheckRecord>,
    /// The costs beside those of the bare Worker.
    pub ratios: Vec<Ratio>,
    /// By server, route, tenant and phase.
    pub latencies: Vec<Latency>,
    /// The conditions of the measurement, a line each.
    pub conditions: Vec<String>,
    pub requests: u64,
    pub exit_code: u8,
}

/// One figure of the dispatcher beside the bare Worker's: how many times as much, and the interval that this lies in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ratio {
    pub rule: String,
    pub route: String,
    /// Medians, in milliseconds.
    pub dispatcher_ms: f64,
    pub bare_ms: f64,
    pub times: f64,
    pub low: f64,
    pub high: f64,
    /// Every pair that was measured, in milliseconds, so that another can make another interval of it.
    pub pairs: Vec<(f64, f64)>,
}

/// From when a request was due to the last byte of its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    pub server: String,
    pub route: String,
    pub tenant: String,
    pub phase: String,
    pub count: u64,
    #[serde(flatten)]
    pub at: Quantiles,
}

impl LoadReport {
    /// Checks called `observe` are told and do not count.
    #[must_use]
    pub fn new(
        command: &str,
        checks: Vec<CheckRecord>,
        latencies: Vec<Latency>,
        conditions: Vec<String>,
        requests: u64,
    ) -> Self {
        let outcome = outcome_of(&checks, requests);
        let mut report = Self {
            schema: LOAD_SCHEMA,
            command: command.to_owned(),
            outcome,
            checks,
            ratios: Vec::new(),
            latencies,
            conditions,
            requests,
            exit_code: 0,
        };
        report.exit_code = report.exit().code();
        report
    }

    #[must_use]
    pub fn with_ratios(self, ratios: Vec<Ratio>) -> Self {
        Self { ratios, ..self }
    }

    /// In the form that all judgements share.
    #[must_use]
    pub fn report(&self) -> Report {
        let checks = self.checks.iter().map(|check| {
            let verdict = match check.outcome {
                Outcome::Pass => Verdict::Pass,
                Outcome::Fail => Verdict::Fail,
                Outcome::Unknown | Outcome::NotRun => Verdict::Unknown,
            };
            let judged = Check::of(&check.rule, "load", &check.name, verdict, &check.detail);
            let level = if counts(check) { Level::Must } else { Level::Observe };
            Check { level, ..judged }
        });
        let title = format!("{} requests", self.requests);
        let report = Report::of_checks(&format!("load-{}", self.command), &title, checks.collect(), self.exit_code);
        Report { fidelity: self.conditions.clone(), ..report }
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        let is_slow = |check: &&CheckRecord| check.outcome == Outcome::Fail && SLOW.contains(&check.rule.as_str());
        let failed = self.checks.iter().filter(|check| check.outcome == Outcome::Fail).count();
        match self.outcome {
            Outcome::Pass => Exit::Pass,
            Outcome::Unknown => Exit::Unknown,
            Outcome::NotRun => Exit::NothingRan,
            Outcome::Fail if failed == self.checks.iter().filter(is_slow).count() => Exit::TooSlow,
            Outcome::Fail => Exit::RuleBroken,
        }
    }

    /// For a terminal of 100 columns.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
        line(format!("load {}  {}  {} requests", self.command, self.outcome.as_str(), self.requests));
        for condition in &self.conditions {
            line(format!("  {condition}"));
        }
        line(String::new());
        for check in &self.checks {
            line(format!("  {:<8} {:<13} {}", check.outcome.as_str(), check.rule, check.name));
            line(format!("           {}", check.detail));
        }
        if !self.latencies.is_empty() {
            line(
                "\n  ms from when it was due                           p50     p95     p99   p99.9     max  requests"
                    .into(),
            );
        }
        for Latency { server, route, tenant, phase, count, at } in &self.latencies {
            let name = format!("{server} {route} {tenant} {phase}");
            line(format!(
                "  {name:<43}{:>8.2}{:>8.2}{:>8.2}{:>8.2}{:>8.1}{count:>10}",
                at.p50_ms, at.p95_ms, at.p99_ms, at.p999_ms, at.max_ms
            ));
        }
        out
    }
}

/// The rules whose break says that something was too slow, and nothing worse.
const SLOW: [&str; 2] = ["LOAD-CPU", "LOAD-LATENCY"];

/// A latency that could not be judged, because others had the CPU, is told and keeps nobody from passing: CPU time was judged
/// beside it.
fn counts(check: &CheckRecord) -> bool {
    !(check.rule == "LOAD-LATENCY" && check.outcome == Outcome::Unknown)
}

fn outcome_of(checks: &[CheckRecord], requests: u64) -> Outcome {
    let counted: Vec<Outcome> = checks.iter().filter(|check| counts(check)).map(|check| check.outcome).collect();
    match () {
        () if requests == 0 || counted.is_empty() => Outcome::NotRun,
        () if counted.contains(&Outcome::Fail) => Outcome::Fail,
        () if counted.iter().all(|outcome| *outcome == Outcome::Pass) => Outcome::Pass,
        () => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::check;

    fn exit(checks: &[(&str, Outcome)], requests: u64) -> Exit {
        let checks = checks.iter().map(|(rule, outcome)| check(rule, "x", *outcome, String::new())).collect();
        LoadReport::new("budgets", checks, Vec::new(), Vec::new(), requests).exit()
    }

    #[test]
    fn nothing_measured_is_no_pass() {
        assert_eq!(exit(&[("LOAD-CPU", Outcome::Pass)], 0), Exit::NothingRan);
        assert_eq!(exit(&[], 9), Exit::NothingRan);
        assert_eq!(exit(&[("LOAD-CPU", Outcome::Pass)], 9), Exit::Pass);
    }

    #[test]
    fn cpu_time_decides_where_a_busy_machine_hides_the_latency() {
        let latency = ("LOAD-LATENCY", Outcome::Unknown);
        assert_eq!(exit(&[("LOAD-CPU", Outcome::Pass), latency], 9), Exit::Pass);
        assert_eq!(exit(&[latency], 9), Exit::NothingRan);
        assert_eq!(exit(&[("LOAD-CPU", Outcome::Unknown), latency], 9), Exit::Unknown);
        assert_eq!(exit(&[("LOAD-CPU", Outcome::Fail), latency], 9), Exit::TooSlow);
        assert_eq!(exit(&[("LOAD-CPU", Outcome::Fail), ("LOAD-BOOKS", Outcome::Fail)], 9), Exit::RuleBroken);
    }
}
