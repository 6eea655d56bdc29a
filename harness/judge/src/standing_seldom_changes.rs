//! COST-4: a facilitator that is up and down by turns is not taken back at every up, or callers would wait at every down.
//! The one rule that is judged by what the dispatcher says: its standings are what must not flap.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    describe::at,
    history::Line,
};
use grammar::{Problems, limits::MAX_ARRIVALS};
use reports::level::Level;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "COST-4",
    checker: "standing-seldom-changes",
    says: "COST-4: a facilitator that is up and down by turns is not taken back at every up",
    example: "{ at-most = 6 }",
    level: Level::Should,
    sources: &[
        Source::Incident { thread: "Merit-Systems/echo#651", what: "facilitators that time out" },
        Source::Promise { place: "ARCHITECTURE.md, Whom payments rely on", what: "probes keep to a back-off" },
    ],
    hint: Hint {
        cause: "one good answer closes the breaker and forgets what came before",
        look_at: "dispatcher/x402-paywall/src/health/standing.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawStandingSeldomChanges {
    /// The changes of one facilitator at one kind of call.
    #[schemars(with = "usize", range(max = MAX_ARRIVALS))]
    at_most: Spanned<usize>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct StandingSeldomChanges {
    /// The changes of one facilitator at one kind of call.
    at_most: usize,
}

impl RawStandingSeldomChanges {
    pub fn check(self, _: &impl About, problems: &mut Problems) -> Option<StandingSeldomChanges> {
        Some(StandingSeldomChanges { at_most: about::count(&self.at_most, problems)? })
    }
}

impl StandingSeldomChanges {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!("no facilitator's standing changes more than {} times", self.at_most)
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.at_most)
    }
}

fn judge(history: &History, at_most: usize) -> Finding {
    let mut changes: BTreeMap<_, Vec<(String, Line)>> = BTreeMap::new();
    for change in history.standings() {
        let told = format!("{} at {} ({})", change.to, at(change.at_us), change.reason);
        changes.entry((&change.what.facilitator, change.call)).or_default().push((told, change.line));
    }
    let mut violations = Vec::new();
    for ((facilitator, call), changes) in &changes {
        // One more than may be shows it.
        let Some(fewest) = changes.get(..=at_most) else { continue };
        let told: Vec<_> = changes.iter().map(|(told, _)| told.as_str()).collect();
        let what = format!("{call:?} at {facilitator} changed {} times: {}", changes.len(), told.join(", "));
        let lines = fewest.iter().map(|(_, line)| *line);
        violations.push(Violation::new(what, fewest[0].1).and(lines));
    }
    let most = changes.values().map(Vec::len).max().unwrap_or_default();
    let finding = Finding::of(changes.len(), "standings that changed", violations);
    let detail = format!("{}; at most {most} changes of one", finding.detail);
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_standing_that_flaps_is_seen_and_one_that_never_changed_says_nothing() {
        let story = || Story::new().standing("primary", "quarantined").standing("primary", "healthy");
        assert_eq!(judge(&story().history(), 2).verdict, Verdict::Pass);
        let again = story().standing("primary", "quarantined").standing("primary", "healthy");
        assert_eq!(shown(&judge(&again.history(), 2)), [2, 3, 4]);
        assert_eq!(judge(&story().standing("standby", "quarantined").history(), 2).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().history(), 2).verdict, Verdict::Unknown);
    }
}
