//! The report of one run: what was done, what was expected, what was seen, and how to see it again. Every format is
//! made from this struct and shows nothing else.

use serde::{Deserialize, Serialize};

use crate::event::FaultRef;
use crate::verdict::Verdict;

/// Version of the report's JSON. Raised when a field changes its meaning or goes away; new fields do not raise it.
pub const REPORT_SCHEMA: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub schema: u32,
    pub scenario: String,
    pub title: String,
    pub tier: String,
    pub seed: u64,
    pub verdict: Verdict,
    pub checks: Vec<Check>,
    pub phases: Vec<PhaseSummary>,
    pub faults: Vec<FaultSummary>,
    /// What was real and what was a double, a line each.
    pub fidelity: Vec<String>,
    pub run_dir: String,
    /// The command that repeats the run.
    pub replay: String,
    pub exit_code: u8,
}

impl Report {
    /// Exchanges with the dispatcher that ended, in all phases.
    pub fn requests(&self) -> u64 {
        self.phases.iter().map(|phase| phase.requests).sum()
    }

    /// The verdict that these checks and this traffic come to: without traffic, checks that held prove nothing.
    pub fn verdict_of(checks: &[Check], phases: &[PhaseSummary]) -> Verdict {
        let verdict = Verdict::merge(checks.iter().map(|check| check.verdict));
        let flowed = phases.iter().any(|phase| phase.requests > 0);
        if verdict == Verdict::Pass && !flowed { Verdict::Unknown } else { verdict }
    }
}

/// A rule, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The rule's id, e.g. `MONEY-1`.
    pub id: String,
    /// The checker's name, e.g. `settle-at-most-once`.
    pub name: String,
    /// The rule in words.
    pub expected: String,
    pub verdict: Verdict,
    /// What was seen, in a line; for a pass, what it rests on.
    pub detail: String,
    /// The events that show it, in order, for a person to read. Empty for a pass.
    pub witness: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseSummary {
    pub name: String,
    pub from_ms: u64,
    pub to_ms: u64,
    /// Exchanges that were due in the phase, whatever they ended in: the sum of the six below.
    pub requests: u64,
    /// Answered 2xx.
    pub served: u64,
    /// Answered 402 with an offer, to a caller that had not paid.
    pub offered: u64,
    /// Answered with another 4xx, or 402 to a payment.
    pub refused: u64,
    /// Answered 503 that says to ask again: the outcome of the payment was not known yet.
    pub pending: u64,
    /// Anything else: other 5xx, or no whole answer.
    pub failed: u64,
    /// Given up by the client, which hung up on purpose.
    #[serde(default)]
    pub left: u64,
    /// Absent where no request was due. All from when a request was due to the last byte of its answer.
    #[serde(flatten)]
    pub latency: Option<Quantiles>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultSummary {
    pub fault: FaultRef,
    pub from_ms: u64,
    pub to_ms: u64,
    /// Calls it was applied to.
    pub hits: u64,
}
