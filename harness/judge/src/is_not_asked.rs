//! COST-4: a facilitator that says it cannot serve an offer is not asked about it.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
};
use grammar::{Name, Problems, text::NameText};
use reports::{level::Level, summary};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "COST-4",
    checker: "is-not-asked",
    says: "COST-4: a facilitator that says it cannot serve an offer is not asked about it",
    example: "{ facilitator = \"primary\", phase = \"outage\" }",
    level: Level::Must,
    sources: &[
        Source::Spec { document: "x402 v2, GET /supported", says: "a facilitator lists the kinds that it serves" },
        Source::Incident { thread: "x402-foundation/x402#2348", what: "a facilitator that has no mainnet" },
    ],
    hint: Hint {
        cause: "what /supported says is not fetched, or not looked at when an offer's facilitators are chosen",
        look_at: "dispatcher/x402-paywall/src/facilitator/supported.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawIsNotAsked {
    #[schemars(with = "NameText")]
    facilitator: Spanned<String>,
    #[schemars(with = "NameText")]
    phase: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct IsNotAsked {
    facilitator: Name,
    phase: Name,
}

impl RawIsNotAsked {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<IsNotAsked> {
        Some(IsNotAsked {
            facilitator: about::facilitator(&self.facilitator, about, problems)?,
            phase: about::phase(&self.phase, about, problems)?,
        })
    }
}

impl IsNotAsked {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!("{} is asked nothing in {}", self.facilitator, self.phase)
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.facilitator.as_str(), self.phase.as_str())
    }
}

fn judge(history: &History, facilitator: &str, phase: &str) -> Finding {
    let phases = summary::phases(&history.events);
    let Some(phase) = phases.iter().find(|seen| seen.name == phase) else {
        return Finding::unknown(format!("phase {phase} never was"));
    };
    let during = phase.from_ms * 1000..phase.to_ms * 1000;
    let calls: Vec<_> = history.calls().filter(|call| during.contains(&call.received_us)).collect();
    let asked = calls.iter().filter(|call| call.facilitator == facilitator);
    let violations = asked
        .map(|call| Violation::new(format!("{facilitator} was asked in {}", phase.name), call.line))
        .map(|violation| violation.and(history.phase_line(&phase.name)))
        .collect();
    Finding::of(calls.len(), "calls to facilitators", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_call_in_the_phase_is_seen_and_one_before_it_is_not() {
        let story = || Story::new().settle("p1", "primary", YES).phase("known").settle("p2", "standby", YES);
        let verdict = |story: Story| judge(&story.phase("end").history(), "primary", "known").verdict;
        assert_eq!(verdict(story()), Verdict::Pass);
        let asked = story().settle("p3", "primary", YES).phase("end");
        assert_eq!(shown(&judge(&asked.history(), "primary", "known")), [3, 5]);
        assert_eq!(verdict(Story::new().phase("known")), Verdict::Unknown);
    }
}
