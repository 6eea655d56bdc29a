//! What a self-test came to: per control whether it passes, per bug whether the rule that names it broke, and the score.

use crate::exit::Exit;
use crate::planting::Bug;
use reports::{
    level::Level,
    report::{Check, KnownFailure, KnownStanding, Report},
    verdict::Verdict,
};
use scenario::Tier;
use serde::Serialize;
use std::{collections::BTreeSet, fmt::Write};

/// Version of the score's JSON. Raised when a field changes its meaning or goes away.
const SCORE_SCHEMA: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    schema: u32,
    tier: &'static str,
    pub caught: usize,
    pub bugs: Vec<Trial>,
    pub controls: Vec<Control>,
    took_ms: u64,
    exit_code: u8,
}

/// A scenario without a bug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    pub scenario: String,
    pub verdict: Verdict,
    /// Rules that did not hold, with what was seen.
    pub not_held: Vec<String>,
    /// The checkers that broke, of any level: a bug shows nothing by them here.
    #[serde(skip)]
    breaks: BTreeSet<String>,
}

/// A bug, and what was seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    pub bug: String,
    pub breaks: String,
    /// The rule that is to catch it.
    pub rule: String,
    pub checker: String,
    pub scenarios: Vec<String>,
    pub seen: Seen,
    /// The scenario in which the rule was broken, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Seeing>,
    /// Other rules that broke.
    pub others: Vec<String>,
    /// What the list of known failures says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seeing {
    pub scenario: String,
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The rule that names it broke.
    Caught,
    /// Another one did.
    ByAnotherRuleOnly,
    /// It broke, and breaks in the same scenario without the bug.
    WithoutItToo,
    Unseen,
}

impl Seen {
    /// For people.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::ByAnotherRuleOnly => "UNSEEN by its rule",
            Self::WithoutItToo => "UNPROVEN, as its rule breaks without it too",
            Self::Unseen => "UNSEEN",
        }
    }
}

impl Control {
    /// Whether one of these checks broke that does not break here.
    #[must_use]
    pub fn is_unlike(&self, checks: &[Check]) -> bool {
        checks.iter().any(|check| check.verdict == Verdict::Fail && !self.breaks.contains(&check.name))
    }

    #[must_use]
    pub fn of(scenario: &str, checks: &[Check]) -> Self {
        let counted = |check: &&Check| check.level <= Level::Must;
        let verdict = Verdict::merge(checks.iter().filter(counted).map(|check| check.verdict));
        let not_held = checks.iter().filter(counted).filter(|check| check.verdict != Verdict::Pass);
        let not_held = not_held.map(|check| format!("{} {}: {}", check.id, check.name, seen_of(check))).collect();
        let breaks =
            checks.iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.name.clone()).collect();
        Self { scenario: scenario.to_owned(), verdict, not_held, breaks }
    }
}

impl Trial {
    /// `runs` are its scenarios with what was judged. A rule that a scenario's control does not hold says nothing there.
    #[must_use]
    pub fn of(bug: &Bug, runs: &[(&str, Vec<Check>)], controls: &[Control]) -> Self {
        let rule = bug.rule;
        let broken: Vec<_> = runs
            .iter()
            .flat_map(|(scenario, checks)| checks.iter().map(move |check| (*scenario, check)))
            .filter(|(_, check)| check.verdict == Verdict::Fail)
            .collect();
        let is_new = |scenario: &str, check: &Check| {
            controls.iter().any(|control| control.scenario == scenario && !control.breaks.contains(&check.name))
        };
        let by_the_rule: Vec<_> = broken.iter().filter(|(_, check)| check.name == rule.checker).collect();
        let is_broken = !by_the_rule.is_empty();
        let by_the_rule = by_the_rule.into_iter().find(|(scenario, check)| is_new(scenario, check));
        let witness = by_the_rule
            .map(|(scenario, check)| Seeing { scenario: (*scenario).to_owned(), what: seen_of(check).to_owned() });
        let others = broken.iter().filter(|(_, check)| check.name != rule.checker);
        let mut others: Vec<_> =
            others.filter(|(scenario, check)| is_new(scenario, check)).map(|(_, check)| check.id.clone()).collect();
        others.sort_unstable();
        others.dedup();
        let seen = match (&witness, others.is_empty()) {
            (Some(_), _) => Seen::Caught,
            (None, _) if is_broken => Seen::WithoutItToo,
            (None, false) => Seen::ByAnotherRuleOnly,
            (None, true) => Seen::Unseen,
        };
        Self {
            bug: bug.name.clone(),
            breaks: bug.says.clone(),
            rule: rule.id.to_owned(),
            checker: rule.checker.to_owned(),
            scenarios: bug.scenarios.clone(),
            seen,
            witness,
            others,
            known: None,
        }
    }
}

fn seen_of(check: &Check) -> &str {
    check.witness.as_ref().map_or(&check.detail, |witness| &witness.what)
}

impl Score {
    #[must_use]
    pub fn of(tier: Tier, controls: Vec<Control>, bugs: Vec<Trial>, took_ms: u64) -> Self {
        let caught = bugs.iter().filter(|trial| trial.seen == Seen::Caught).count();
        let mut score =
            Self { schema: SCORE_SCHEMA, tier: tier.as_str(), caught, bugs, controls, took_ms, exit_code: 0 };
        score.exit_code = score.exit().code();
        score
    }

    /// Takes over what the list of known failures says of each bug, out of the report that was held against it.
    #[must_use]
    pub fn with_known(mut self, held: &Report) -> Self {
        for trial in &mut self.bugs {
            let check = held.checks.iter().find(|check| check.id == trial.bug);
            trial.known = check.and_then(|check| check.known.clone());
        }
        self.exit_code = self.exit().code();
        self
    }

    /// A judge that breaks without a bug says nothing when it breaks with one.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let standing = |trial: &Trial| trial.known.as_ref().map(|known| known.standing);
        let is_unseen = |trial: &Trial| trial.seen != Seen::Caught && standing(trial) != Some(KnownStanding::Listed);
        if self.bugs.is_empty() {
            Exit::NothingRan
        } else if self.controls.iter().any(|control| control.verdict != Verdict::Pass) {
            Exit::RuleBroken
        } else if self.bugs.iter().any(is_unseen) {
            Exit::SeededBugUnseen
        } else if self.bugs.iter().any(|trial| standing(trial) == Some(KnownStanding::Over)) {
            Exit::KnownIsOver
        } else {
            Exit::Pass
        }
    }

    /// As a report: a check a control and a bug.
    #[must_use]
    pub fn report(&self) -> Report {
        let controls = self.controls.iter().map(|control| {
            let detail =
                if control.not_held.is_empty() { "every rule held".to_owned() } else { control.not_held.join("; ") };
            let says = "without a bug every rule holds";
            Check::of(&control.scenario, "control", says, control.verdict, &detail)
        });
        let bugs = self.bugs.iter().map(|trial| {
            let verdict = if trial.seen == Seen::Caught { Verdict::Pass } else { Verdict::Fail };
            let says = format!("{} breaks where the dispatcher {}", trial.rule, trial.breaks);
            let seen = trial.witness.as_ref().map(|witness| format!("{}: {}", witness.scenario, witness.what));
            let detail = seen.unwrap_or_else(|| format!("it went unseen in {}", trial.scenarios.join(", ")));
            Check::of(&trial.bug, "planted-bug", &says, verdict, &detail)
        });
        let checks = controls.chain(bugs).collect();
        let title = format!("{} of {} planted bugs caught", self.caught, self.bugs.len());
        Report::of_checks("selftest", &title, checks, self.exit_code)
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        for control in &self.controls {
            let _ = writeln!(text, "control  {:8} {}", control.verdict.as_str(), control.scenario);
            for not_held in &control.not_held {
                let _ = writeln!(text, "           {not_held}");
            }
        }
        for trial in &self.bugs {
            let seen = trial.seen.said();
            let _ = writeln!(text, "bug      {seen:8} {}: {}", trial.bug, trial.breaks);
            let _ = writeln!(text, "           {} {}, in {}", trial.rule, trial.checker, trial.scenarios.join(", "));
            if let Some(known) = &trial.known {
                let said = match known.standing {
                    KnownStanding::Listed => "known",
                    KnownStanding::Expired => "was known",
                    KnownStanding::Over => "is seen, and listed as unseen: its entry is to be deleted",
                };
                let _ = writeln!(text, "           {said} until {} ({}): {}", known.until, known.owner, known.why);
            }
            match &trial.witness {
                Some(Seeing { scenario, what }) => {
                    let _ = writeln!(text, "           {scenario}: {what}");
                }
                None if trial.others.is_empty() => {}
                None => {
                    let _ = writeln!(text, "           only {} broke", trial.others.join(", "));
                }
            }
        }
        let passed = self.controls.iter().filter(|control| control.verdict == Verdict::Pass).count();
        let _ = writeln!(
            text,
            "{} of {} bugs caught by the rule that names them, {passed} of {} controls pass, in {}.{} s",
            self.caught,
            self.bugs.len(),
            self.controls.len(),
            self.took_ms / 1_000,
            self.took_ms % 1_000 / 100
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use judge::RULES;
    use reports::{class::Class, report::Hint};

    fn bug() -> Bug {
        let text = format!(
            "says = 's'\nwhy = 'w'\nrule = '{}'\nscenarios = ['one', 'two']\ntier = 'sim'\n\
             [[edit]]\nfile = 'a.rs'\nright = 'r'\nwrong = 'w'\n",
            RULES[0].checker
        );
        Bug::parse("b", &text).map_err(miette::Report::new).expect("it is good")
    }

    fn check(name: &str, verdict: Verdict) -> Check {
        let text = String::new;
        Check {
            id: name.to_owned(),
            name: name.to_owned(),
            expected: text(),
            level: Level::Must,
            class: Class::Resilience,
            verdict,
            detail: "seen".to_owned(),
            line: None,
            witness: None,
            sources: Vec::new(),
            hint: Hint { cause: text(), look_at: text() },
            known: None,
        }
    }

    /// Tells whether the bug is seen, where its rule comes to these verdicts without it and with it, in two scenarios.
    fn seen(without: [Verdict; 2], with: [Verdict; 2], other: Verdict) -> Seen {
        let judged = |verdict| vec![check(RULES[0].checker, verdict)];
        let names = ["one", "two"];
        let controls: Vec<_> =
            names.iter().zip(without).map(|(name, verdict)| Control::of(name, &judged(verdict))).collect();
        let mut runs: Vec<_> = names.into_iter().zip(with).map(|(name, verdict)| (name, judged(verdict))).collect();
        runs[0].1.push(check("another", other));
        Trial::of(&bug(), &runs, &controls).seen
    }

    #[test]
    fn a_bug_is_caught_where_its_rule_breaks_with_it_and_holds_without_it() {
        use Verdict::{Fail, Pass};
        assert_eq!(seen([Pass, Pass], [Pass, Fail], Pass), Seen::Caught);
        assert_eq!(seen([Pass, Pass], [Pass, Pass], Pass), Seen::Unseen);
        assert_eq!(seen([Pass, Pass], [Pass, Pass], Fail), Seen::ByAnotherRuleOnly);
        assert_eq!(seen([Fail, Pass], [Fail, Pass], Fail), Seen::WithoutItToo);
        assert_eq!(seen([Fail, Pass], [Fail, Fail], Pass), Seen::Caught, "in the scenario whose control holds it");
        assert_eq!(seen([Fail, Fail], [Fail, Fail], Pass), Seen::WithoutItToo);
    }
}
