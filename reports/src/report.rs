//! The report of one run: what was done, what was expected, what was seen, and how to see it again. Every format is
//! made from this struct and shows nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::class::Class;
use crate::event::FaultRef;
use crate::level::Level;
use crate::verdict::Verdict;

/// Version of the report's JSON. Raised when a field changes its meaning or goes away; new fields do not raise it.
pub const REPORT_SCHEMA: u32 = 2;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    pub schema: u32,
    pub scenario: String,
    pub title: String,
    pub tier: String,
    pub seed: u64,
    /// The scenario's file, relative to the project where it is in it; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    pub verdict: Verdict,
    /// The weakest level of which a rule that does not hold keeps the run from passing.
    pub gate: Level,
    pub checks: Vec<Check>,
    pub phases: Vec<PhaseSummary>,
    pub faults: Vec<FaultSummary>,
    /// How busy the machine was; absent where nobody looked, as in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineSummary>,
    /// The real parts and the doubles, a line each.
    pub fidelity: Vec<String>,
    pub run_dir: String,
    /// The command that repeats the run.
    pub replay: String,
    pub exit_code: u8,
}

impl Report {
    /// A judgement that has no run of its own behind it, such as a self-test's: `name` is what was judged.
    #[must_use]
    pub fn of_checks(name: &str, title: &str, checks: Vec<Check>, exit_code: u8) -> Self {
        let gate = Level::Must;
        Self {
            schema: REPORT_SCHEMA,
            scenario: name.to_owned(),
            title: title.to_owned(),
            tier: String::new(),
            seed: 0,
            file: None,
            verdict: Verdict::merge(checks.iter().filter_map(|check| check.counts_as(gate))),
            gate,
            checks,
            phases: Vec::new(),
            faults: Vec::new(),
            machine: None,
            fidelity: Vec::new(),
            run_dir: String::new(),
            replay: String::new(),
            exit_code,
        }
    }

    /// Exchanges with the dispatcher that ended, in all phases.
    pub fn requests(&self) -> u64 {
        self.phases.iter().map(|phase| phase.requests).sum()
    }

    /// The verdict that these checks and this traffic come to: without traffic, checks that held prove nothing.
    pub fn verdict_of(checks: &[Check], gate: Level, phases: &[PhaseSummary]) -> Verdict {
        let verdict = Verdict::merge(checks.iter().filter_map(|check| check.counts_as(gate)));
        let flowed = phases.iter().any(|phase| phase.requests > 0);
        if verdict == Verdict::Pass && !flowed { Verdict::Unknown } else { verdict }
    }
}

/// A rule, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The rule's id, e.g. `MONEY-1`.
    pub id: String,
    /// The checker's name, e.g. `settle-at-most-once`.
    pub name: String,
    /// The rule in words.
    pub expected: String,
    pub level: Level,
    pub class: Class,
    pub verdict: Verdict,
    /// The observation, in a line; for a pass, what it rests on.
    pub detail: String,
    /// Line of the scenario's file that asks for it, counted from 1; absent where it is held without being asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The witness of a fail, and of nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// The sources of the rule, a line each.
    pub sources: Vec<String>,
    pub hint: Hint,
    /// The entry in the list of known failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownFailure>,
}

impl Check {
    /// A check that no judge of a history made, such as one of a self-test's bugs: it counts, and has nothing to hint at.
    #[must_use]
    pub fn of(id: &str, name: &str, expected: &str, verdict: Verdict, detail: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            expected: expected.to_owned(),
            level: Level::Must,
            class: Class::Normative,
            verdict,
            detail: detail.to_owned(),
            line: None,
            witness: None,
            sources: Vec::new(),
            hint: Hint::default(),
            known: None,
        }
    }

    /// The rule's own id, without what a scenario adds to tell its several uses apart: `LATENCY` of `LATENCY-steady`.
    #[must_use]
    pub fn rule(&self) -> &str {
        let family = self.id.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(self.id.len());
        let number = self.id[family..].strip_prefix('-').map_or(0, |rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if digits > 0 { digits + 1 } else { 0 }
        });
        // What is no rule's id, such as a bug's name, is its own.
        if family == 0 { &self.id } else { &self.id[..family + number] }
    }

    /// The verdict that it counts as for the run; `None` where it does not count.
    #[must_use]
    pub fn counts_as(&self, gate: Level) -> Option<Verdict> {
        match self.known.as_ref().map(|known| known.standing) {
            Some(KnownStanding::Listed) => Some(Verdict::Pass),
            Some(KnownStanding::Expired | KnownStanding::Over) => Some(Verdict::Fail),
            None => (self.level <= gate).then_some(self.verdict),
        }
    }
}

/// A failure that somebody has taken on to mend by a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownFailure {
    pub standing: KnownStanding,
    pub owner: String,
    /// The last day, as `2026-12-31`.
    pub until: String,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownStanding {
    /// It fails, as the list says: the run may pass.
    Listed,
    /// It fails, and its day has passed.
    Expired,
    /// It holds again: the entry is to be deleted, or the next failure would go unseen.
    Over,
}

/// The place at which a rule was broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Witness {
    pub what: String,
    /// The fewest events that show it, in the history's order. Never empty.
    pub events: Vec<WitnessEvent>,
    /// Other places where it was broken, a line each; not all of them where there are many.
    pub others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WitnessEvent {
    /// Line of `events.jsonl`, counted from 1.
    pub line: usize,
    pub text: String,
}

/// How to mend what breaks a rule. Empty where nobody can say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hint {
    /// The usual cause in a dispatcher.
    pub cause: String,
    /// The file to look at first.
    pub look_at: String,
}

impl Hint {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cause.is_empty() && self.look_at.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultSummary {
    pub fault: FaultRef,
    pub from_ms: u64,
    pub to_ms: u64,
    /// Calls it was applied to.
    pub hits: u64,
}

/// The load of the machine beside the run, in cores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachineSummary {
    /// How many there are.
    pub cores: u32,
    /// The use of the run, on average.
    pub ours: f64,
    /// The use of everything else, on average.
    pub others: f64,
    /// And at most, in a second.
    pub others_at_most: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    fn verdict(report: &Report, gate: Level) -> Verdict {
        Report::verdict_of(&report.checks, gate, &report.phases)
    }

    fn known(standing: KnownStanding) -> Option<KnownFailure> {
        let [owner, until, why] = ["ada", "2026-12-31", "soon"].map(str::to_owned);
        Some(KnownFailure { standing, owner, until, why })
    }

    #[test]
    fn what_is_weaker_than_the_gate_is_let_through() {
        let mut report = passing();
        report.checks.extend(failing().checks.into_iter().filter(|check| check.level == Level::Should));
        assert_eq!(verdict(&report, Level::Must), Verdict::Pass);
        assert_eq!(verdict(&report, Level::Should), Verdict::Fail);
        report.checks.iter_mut().for_each(|check| check.level = Level::Observe);
        assert_eq!(verdict(&report, Level::Should), Verdict::Unknown, "nothing was held to anything");
    }

    #[test]
    fn a_known_failure_lets_the_run_pass_until_it_expires_or_is_over() {
        let mut report = passing();
        report.checks[0].verdict = Verdict::Fail;
        report.checks[0].known = known(KnownStanding::Listed);
        assert_eq!(verdict(&report, Level::Must), Verdict::Pass);
        report.checks[0].known = known(KnownStanding::Expired);
        assert_eq!(verdict(&report, Level::Must), Verdict::Fail);
        report.checks[0].verdict = Verdict::Pass;
        report.checks[0].known = known(KnownStanding::Over);
        assert_eq!(verdict(&report, Level::Must), Verdict::Fail);
    }

    #[test]
    fn a_rule_is_what_its_uses_have_in_common() {
        let ids = ["MONEY-1", "LATENCY-steady", "COST-4-verify", "MONEY-11-part", "redial", "X-"];
        let rules = ids.map(|id| Check { id: id.to_owned(), ..passing().checks[0].clone() }.rule().to_owned());
        assert_eq!(rules, ["MONEY-1", "LATENCY", "COST-4", "MONEY-11", "redial", "X"]);
    }

    #[test]
    fn without_traffic_nothing_passes() {
        let mut report = passing();
        report.phases.iter_mut().for_each(|phase| phase.requests = 0);
        assert_eq!(verdict(&report, Level::Must), Verdict::Unknown);
    }
}
