//! COST-4: a facilitator that fails every call is soon left alone but for probes. When it failed is read off what the
//! doubles did, not off what the dispatcher says of it; questions about settlements whose answer was lost are probes too.
//!
//! Where nobody listens (`refuse`) nothing arrives at the double, so there is nothing to judge by.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    describe::at,
    history::At,
};
use grammar::{Problems, show, text::TimeText};
use reports::{
    event::{FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint},
    level::Level,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "COST-4",
    checker: "quarantined-gets-probes-only",
    says: "COST-4: a facilitator that fails every call is soon left alone but for probes",
    example: "{ grace = \"1s\" }",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "Merit-Systems/echo#651", what: "facilitators that time out" },
        Source::Promise {
            place: "ARCHITECTURE.md, Whom payments rely on",
            what: "a quarantined facilitator gets probes",
        },
    ],
    hint: Hint {
        cause: "the breaker does not open, counts no time-outs, or lets every request through as a probe",
        look_at: "dispatcher/x402-paywall/src/health/standing.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawQuarantinedGetsProbesOnly {
    /// From the third failure in a row.
    #[schemars(with = "TimeText")]
    grace: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct QuarantinedGetsProbesOnly {
    /// From the third failure in a row.
    grace: Duration,
}

impl RawQuarantinedGetsProbesOnly {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<QuarantinedGetsProbesOnly> {
        Some(QuarantinedGetsProbesOnly { grace: about::bound(&self.grace, about, problems)? })
    }
}

impl QuarantinedGetsProbesOnly {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!("{} after three failures, a facilitator gets probes only", show(self.grace))
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.grace)
    }
}

/// After so many failures in a row a dispatcher has seen enough.
const ENOUGH: usize = 3;
/// Probes that may come close together, while the pauses between them are still short.
const BURST: f64 = 4.0;
/// And so many more for every second.
const PROBES_PER_SECOND: f64 = 1.0;

/// `grace` is for what is under way, and for other isolates to hear of it.
fn judge(history: &History, grace: Duration) -> Finding {
    let mut calls: BTreeMap<(&str, FacilitatorEndpoint), Vec<At<'_, FacilitatorCall>>> = BTreeMap::new();
    for call in history.calls() {
        calls.entry((&call.what.facilitator, call.endpoint)).or_default().push(call);
    }
    let (mut bad_times, mut probes, mut violations) = (0, 0, Vec::new());
    for ((facilitator, endpoint), mut calls) in calls {
        calls.sort_by_key(|call| call.received_us);
        for failing in runs_of_failures(&calls).into_iter().filter(|failing| failing.len() >= ENOUGH) {
            bad_times += 1;
            let mut ends: Vec<_> = failing.iter().map(|call| call.ended_us).collect();
            ends.sort_unstable();
            let known_us = ends[ENOUGH - 1] + grace.as_micros() as u64;
            let after: Vec<_> = failing.iter().filter(|call| call.received_us >= known_us).collect();
            let Some(last) = after.last() else { continue };
            probes += after.len();
            let too_many = |count: usize, by_us: u64| count as f64 > allowed(by_us - known_us);
            if too_many(after.len(), last.received_us) {
                let enough = after.iter().enumerate().position(|(n, call)| too_many(n + 1, call.received_us));
                let fewest = &after[..=enough.unwrap_or(after.len() - 1)];
                let (failed, calls, when) = (at(ends[ENOUGH - 1]), after.len(), at(last.received_us));
                let what = format!(
                    "{endpoint:?} at {facilitator} had failed {ENOUGH} times by {failed}, and got {calls} more calls by {when}"
                );
                let lines = failing[1..ENOUGH].iter().chain(fewest.iter().copied()).map(|call| call.line);
                violations.push(Violation::new(what, failing[0].line).and(lines));
            }
        }
    }
    let finding = Finding::of(bad_times, "times at which every call failed", violations);
    let detail = format!("{}; {probes} probes", finding.detail);
    finding.with_detail(detail)
}

/// Calls that count as probes in a time of so many microseconds.
fn allowed(us: u64) -> f64 {
    BURST + us as f64 / 1e6 * PROBES_PER_SECOND
}

/// The meaning of a call for its facilitator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Answers,
    Fails,
    /// A bad request, or a lie that one may or may not see through.
    Nothing,
}

fn says(call: &FacilitatorCall) -> Says {
    let lied = call.fault.as_ref().is_some_and(|fault| fault.inject == "lie");
    match &call.answer {
        _ if lied => Says::Nothing,
        FacilitatorAnswer::None { .. } => Says::Fails,
        FacilitatorAnswer::Sent { ok: Some(_), .. } => Says::Answers,
        FacilitatorAnswer::Sent { status: 400 | 413 | 422, .. } => Says::Nothing,
        FacilitatorAnswer::Sent { ok: None, .. } => Says::Fails,
    }
}

fn runs_of_failures<'a>(calls: &[At<'a, FacilitatorCall>]) -> Vec<Vec<At<'a, FacilitatorCall>>> {
    let mut runs = vec![Vec::new()];
    for call in calls {
        match says(call) {
            Says::Fails => runs.last_mut().expect("it begins with one").push(*call),
            Says::Answers => runs.push(Vec::new()),
            Says::Nothing => {}
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    const GRACE: Duration = Duration::from_secs(1);

    /// Every step of a story takes a second.
    fn failures(count: usize, pause: u64) -> Story {
        (0..count).fold(Story::new(), |story, _| story.settle("p1", "primary", NOTHING).pause(pause))
    }

    #[test]
    fn probes_now_and_then_are_a_pass() {
        assert_eq!(judge(&failures(10, 3).history(), GRACE).verdict, Verdict::Pass);
    }

    #[test]
    fn a_dead_facilitator_that_is_asked_on_and_on_is_seen() {
        // One a second is a probe; ten times as many are not.
        assert_eq!(judge(&failures(23, 0).history(), GRACE).verdict, Verdict::Pass);
        let hurried = (0..23).fold(Story::new(), |story, n| {
            let at_us = n * 100_000;
            story.settle_with("p1", "primary", GARBLED, move |call| {
                (call.received_us, call.ended_us) = (at_us, at_us + 50_000);
            })
        });
        // Known to be dead at 0.25 s; the fifth call after that comes 0.45 s later, and the burst allows for 4.45.
        assert_eq!(shown(&judge(&hurried.history(), Duration::ZERO)), [2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn an_answer_in_between_is_another_beginning_and_refusals_are_answers() {
        let story = failures(2, 0).settle("p1", "primary", NO).settle("p1", "primary", NOTHING);
        assert_eq!(judge(&story.history(), GRACE).verdict, Verdict::Unknown);
    }
}
