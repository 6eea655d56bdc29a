//! LIVE-7: a facilitator that is well again is used again, by whoever would have asked it first. That it is well is read off the
//! faults that it has, not off what the dispatcher says of it.
//!
//! Surprising constraint: a facilitator is asked if payments choose it first. A probe that it answers is no use.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    describe::at,
    history::{At, Line},
};
use grammar::{Problems, show, text::TimeText};
use reports::{
    event::{Event, FacilitatorCall, FacilitatorEndpoint},
    level::Level,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "LIVE-7",
    checker: "who-is-back-is-asked",
    says: "LIVE-7: a facilitator that is well again is soon the first choice of those who prefer it",
    example: "{ within = \"5s\" }",
    level: Level::Must,
    sources: &[
        Source::Promise {
            place: "ARCHITECTURE.md, Whom payments rely on",
            what: "a quarantined facilitator is probed until it answers",
        },
        Source::Incident { thread: "Merit-Systems/echo#651", what: "facilitators that time out" },
    ],
    hint: Hint {
        cause: "what one isolate or the monitor found out does not reach the isolates, or a good probe closes no breaker",
        look_at: "dispatcher/x402-paywall/src/health/board.rs",
    },
};

/// Payments in one stretch of good health that are enough to tell.
const ENOUGH: usize = 5;

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawWhoIsBackIsAsked {
    /// The bound, from the end of its fault on.
    #[schemars(with = "TimeText")]
    within: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct WhoIsBackIsAsked {
    /// The bound, from the end of its fault on.
    within: Duration,
}

impl RawWhoIsBackIsAsked {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<WhoIsBackIsAsked> {
        Some(WhoIsBackIsAsked { within: about::bound(&self.within, about, problems)? })
    }
}

impl WhoIsBackIsAsked {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!("{} after its fault, a facilitator is the first choice of those who prefer it", show(self.within))
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.within)
    }
}

fn judge(history: &History, within: Duration) -> Finding {
    let chosen = first_choices(history);
    let (mut looked_at, mut violations) = (0, Vec::new());
    for (facilitator, healed, stretch) in well_again(history, within) {
        let prefers = |call: &&At<'_, FacilitatorCall>| {
            let tenant = call.payment.as_deref().and_then(|payment| history.tenant_of(payment));
            let is_first = tenant.is_some_and(|(_, facts)| facts.facilitators.first() == Some(&facilitator));
            is_first && stretch.contains(&call.received_us)
        };
        let due: Vec<_> = chosen.iter().filter(prefers).collect();
        if due.len() < ENOUGH {
            continue;
        }
        looked_at += due.len();
        let elsewhere: Vec<_> = due.iter().filter(|call| call.facilitator != facilitator).collect();
        // More than half: one that answers is as good as its fault's end is long ago.
        if 2 * elsewhere.len() > due.len() {
            let (since, by) = (at(stretch.start - within.as_micros() as u64), at(stretch.end));
            let what = format!(
                "{facilitator} has been well since {since}, and {} of {} payments went to others first by {by}",
                elsewhere.len(),
                due.len()
            );
            violations.push(Violation::new(what, healed).and(elsewhere.iter().map(|call| call.line)));
        }
    }
    Finding::of(looked_at, "payments that prefer a facilitator that is well again", violations)
}

/// The first `/verify` of each payment, in the order of time.
fn first_choices(history: &History) -> Vec<At<'_, FacilitatorCall>> {
    let mut calls: Vec<_> = history.calls().filter(|call| call.endpoint == FacilitatorEndpoint::Verify).collect();
    calls.sort_by_key(|call| call.received_us);
    let mut seen = BTreeSet::new();
    calls.retain(|call| call.what.payment.as_deref().is_some_and(|payment| seen.insert(payment)));
    calls
}

/// The stretches in which a facilitator that had a fault has none, from the bound on; with the line where its fault ended.
fn well_again(history: &History, within: Duration) -> Vec<(String, Line, Range<u64>)> {
    let ended_us = history.events.last().map_or(0, |last| last.at_us);
    let mut open = BTreeMap::<&str, usize>::new();
    let mut well = BTreeMap::<&str, (Line, u64)>::new();
    let mut stretches = Vec::new();
    let mut add = |facilitator: &str, (line, from_us): (Line, u64), until_us: u64| {
        let from_us = from_us + within.as_micros() as u64;
        if from_us < until_us {
            stretches.push((facilitator.to_owned(), line, from_us..until_us));
        }
    };
    for (line, recorded) in history.lines() {
        match &recorded.event {
            Event::FaultStarted { fault } => {
                *open.entry(&fault.on).or_default() += 1;
                if let Some(since) = well.remove(fault.on.as_str()) {
                    add(&fault.on, since, recorded.at_us);
                }
            }
            Event::FaultEnded { fault } => {
                let left = open.entry(&fault.on).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    well.insert(&fault.on, (line, recorded.at_us));
                }
            }
            _ => {}
        }
    }
    for (facilitator, since) in well {
        add(facilitator, since, ended_us);
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    const WITHIN: Duration = Duration::from_secs(2);

    fn healed() -> Story {
        Story::new().down("primary").up("primary").pause(2)
    }

    fn asked(story: Story, payment: &str, facilitator: &str) -> Story {
        story.settle_with(payment, facilitator, YES, |call| call.endpoint = FacilitatorEndpoint::Verify)
    }

    fn bought(story: Story, facilitator: &str, payments: std::ops::Range<usize>) -> Story {
        payments.fold(story, |story, n| asked(story, &format!("p{n}"), facilitator).told(&format!("p{n}")))
    }

    #[test]
    fn one_that_is_asked_first_again_is_a_pass_and_one_that_is_not_is_seen() {
        assert_eq!(judge(&bought(healed(), "primary", 2..8).history(), WITHIN).verdict, Verdict::Pass);
        let left_alone = judge(&bought(healed(), "standby", 2..8).history(), WITHIN);
        assert_eq!((left_alone.verdict, shown(&left_alone).first()), (Verdict::Fail, Some(&3)));
    }

    #[test]
    fn a_few_payments_and_those_within_the_bound_tell_nothing() {
        assert_eq!(judge(&bought(healed(), "standby", 2..4).history(), WITHIN).verdict, Verdict::Unknown);
        let soon = bought(healed(), "standby", 2..8).history();
        assert_eq!(judge(&soon, Duration::from_secs(600)).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_probe_is_no_choice() {
        let probed =
            (2..8).fold(bought(healed(), "standby", 2..8), |story, n| asked(story, &format!("p{n}"), "primary"));
        assert_eq!(judge(&probed.history(), WITHIN).verdict, Verdict::Fail);
    }
}
