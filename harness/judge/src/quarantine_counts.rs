//! COST-6: a quarantine counts everywhere within a bound, without a deploy, and so does its end. Judged by the limits that the
//! namespace was handed for each run.
//!
//! Until the bound has passed, a run may have either limits: isolates learn of it one by one.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    describe::short,
    quarantines::{PutAway, Quarantines},
};
use grammar::{Problems, show, text::TimeText};
use reports::{event::Flow, level::Level};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "COST-6",
    checker: "quarantine-counts",
    says: "COST-6: a tenant that is put into quarantine runs under its limits within a bound, and under its own once it is out",
    example: "{ within = \"7s\" }",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "docs/invariants.md, Tenants",
        what: "a quarantine counts within seconds and without a deploy",
    }],
    hint: Hint {
        cause: "an isolate does not ask for the list while requests come, or the object does not keep it",
        look_at: "dispatcher/core/src/quarantine/warden.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawQuarantineCounts {
    /// The bound, from an operator's word or policy's on.
    #[schemars(with = "TimeText")]
    within: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct QuarantineCounts {
    /// The bound, from an operator's word or policy's on.
    within: Duration,
}

impl RawQuarantineCounts {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<QuarantineCounts> {
        Some(QuarantineCounts { within: about::bound(&self.within, about, problems)? })
    }
}

impl QuarantineCounts {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let within = show(self.within);
        format!("{within} after a tenant is put into quarantine, or out of it, it runs under those limits")
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.within)
    }
}

fn judge(history: &History, within: Duration) -> Finding {
    let within_us = within.as_micros() as u64;
    let Some(limits) = history.quarantine else {
        return Finding::unknown("the history does not say what limits it has");
    };
    let quarantines = Quarantines::of(history);
    let (mut inside, mut violations) = (0, refused(history));
    for (id, times) in quarantines.tenants() {
        let runs =
            history.tenant_runs().filter(|run| history.tenant_of_script(&run.script).is_some_and(|of| of.id == id));
        for run in runs {
            let Some(tenant) = history.tenants.get(id) else { continue };
            let (plans, put_away) = (tenant.cpu_ms, limits.cpu_ms);
            let request = run.request_id.as_deref().unwrap_or("unknown");
            let passed = run.cpu_ms.map_or_else(|| "no limit".to_owned(), |passed| format!("{passed} ms"));
            match standing(times, run.at_us, within_us) {
                Standing::In(time) => {
                    inside += 1;
                    if run.cpu_ms != Some(put_away) || run.sub_requests != Some(limits.sub_requests) {
                        let what =
                            format!("request {request} to {id} ran with {passed} of CPU, a quarantine's is {put_away}");
                        violations.push(Violation::new(what, run.line).and([time.line]));
                    }
                }
                Standing::Out if run.cpu_ms != Some(plans) => {
                    let what =
                        format!("request {request} to {id}, which is in no quarantine, ran with {passed} of CPU");
                    violations.push(Violation::new(what, run.line));
                }
                Standing::Out | Standing::Either => {}
            }
        }
        violations.extend(sold_upfront(history, id, times, within_us));
    }
    Finding::of(inside, "runs of tenants in quarantine", violations)
}

enum Standing<'a> {
    In(&'a PutAway),
    Out,
    Either,
}

fn standing(times: &[PutAway], at_us: u64, within_us: u64) -> Standing<'_> {
    if let Some(time) =
        times.iter().find(|time| (time.known_us.saturating_add(within_us)..time.may_end_us).contains(&at_us))
    {
        return Standing::In(time);
    }
    let undecided = |time: &PutAway| (time.may_us..time.end_us.saturating_add(within_us)).contains(&at_us);
    if times.iter().any(undecided) { Standing::Either } else { Standing::Out }
}

/// Sales that were begun in quarantine, of a tenant that is paid before it runs: it has hardly anything to run with.
fn sold_upfront(history: &History, id: &str, times: &[PutAway], within_us: u64) -> Vec<Violation> {
    let price = history.tenants.get(id).and_then(|tenant| tenant.price.as_ref());
    if price.is_none_or(|price| price.flow != Flow::Upfront) {
        return Vec::new();
    }
    let begun = history.settles().filter_map(|(payment, settles)| {
        let (_, tenant) = history.tenant_of(payment)?;
        let first = settles.first().filter(|_| tenant.id == id)?;
        let Standing::In(time) = standing(times, first.received_us, within_us) else { return None };
        let what = format!("{} was settled first while {id} was in quarantine, which is paid upfront", short(payment));
        Some(Violation::new(what, first.line).and([time.line]))
    });
    begun.collect()
}

/// The requests of an operator that the dispatcher did not carry out. While it is down nobody can hear.
fn refused(history: &History) -> Vec<Violation> {
    let is_down =
        |at_us: u64| history.outages.iter().any(|outage| (outage.killed_us..=outage.back_us).contains(&at_us));
    let refused = history.operator_acts().filter(|act| act.status != Some(200));
    let refused = refused.filter(|act| act.status.is_some() || !is_down(act.at_us));
    let tell = |act: super::At<'_, reports::event::OperatorAct>| {
        let status = act.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
        Violation::new(format!("an operator asked to {}, and was answered {status}", act.act.inject), act.line)
    };
    refused.map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::OperatorDoes, verdict::Verdict};

    const PUT: OperatorDoes = OperatorDoes::Quarantine { until_us: None };
    const LIFT: OperatorDoes = OperatorDoes::LiftQuarantine;

    fn judged(story: Story) -> Finding {
        judge(&story.history(), Duration::from_millis(500))
    }

    #[test]
    fn the_limits_change_with_a_quarantine_and_change_back_after_it() {
        let story = Story::new().ran(Some(50.0), Some(50.0)).operator(PUT, 200).ran(Some(5.0), Some(1.0));
        assert_eq!(judged(story.operator(LIFT, 200).ran(Some(50.0), Some(50.0))).verdict, Verdict::Pass);
        assert_eq!(judged(Story::new().operator(PUT, 200)).verdict, Verdict::Unknown, "nothing ran");
    }

    #[test]
    fn a_run_that_is_put_away_too_late_or_for_too_long_is_seen() {
        let deaf = Story::new().operator(PUT, 200).ran(Some(50.0), Some(50.0));
        assert_eq!(shown(&judged(deaf)), [2, 3]);
        let stays = Story::new().operator(PUT, 200).ran(Some(5.0), Some(1.0)).operator(LIFT, 200);
        assert_eq!(shown(&judged(stays.ran(Some(5.0), Some(1.0)))), [5]);
        let for_a_second = OperatorDoes::Quarantine { until_us: Some(2_000_000) };
        assert_eq!(shown(&judged(Story::new().operator(for_a_second, 200).ran(None, None).ran(Some(5.0), None))), [4]);
    }

    #[test]
    fn whoever_policy_puts_away_counts_as_well() {
        let burns = || Story::new().put_away_by_policy(60_000);
        assert_eq!(judged(burns().ran(Some(5.0), Some(1.0))).verdict, Verdict::Pass);
        assert_eq!(shown(&judged(burns().ran(Some(50.0), Some(50.0)))), [2, 3]);
    }

    #[test]
    fn one_quarantine_takes_the_place_of_another() {
        let for_a_second = OperatorDoes::Quarantine { until_us: Some(3_000_000) };
        let shorter = Story::new().operator(PUT, 200).operator(for_a_second, 200).ran(None, None);
        assert_eq!(judged(shorter.ran(Some(50.0), Some(50.0))).verdict, Verdict::Unknown, "it is over by then");
    }

    #[test]
    fn a_sale_that_is_paid_upfront_and_begun_in_quarantine_is_seen() {
        let sells = Story::new().upfront().operator(PUT, 200).claimed("p1").settle("p1", "primary", YES);
        assert_eq!(shown(&judged(sells)), [2, 4]);
        let before = Story::new().upfront().claimed("p1").settle("p1", "primary", YES).operator(PUT, 200);
        assert_eq!(judged(before.ran(Some(5.0), Some(1.0))).verdict, Verdict::Pass);
    }

    #[test]
    fn an_operator_who_is_not_heard_is_seen() {
        assert_eq!(shown(&judged(Story::new().operator(PUT, 503))), [2]);
    }
}
