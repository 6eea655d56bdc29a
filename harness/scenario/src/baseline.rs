//! The baseline: every rule that needs no parameters stands in every scenario, and judges where there is something to judge by.
//! A bug that nobody had in mind shows in a scenario that was written for something else, or not at all. A scenario that cannot
//! hold a rule says so, and why.

use super::must::Told;
use grammar::{Problem, Problems};
use judge::{Checker, Must};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A rule of the baseline that a scenario is not held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Without {
    rule: &'static str,
    why: String,
}

impl Without {
    /// Its checker's name.
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    pub fn why(&self) -> &str {
        &self.why
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Without")]
pub(super) struct RawWithout {
    /// The rule's checker: `harness list --checkers`.
    #[schemars(with = "String", extend("enum" = names()))]
    rule: Spanned<String>,
    /// The part of the scenario that the rule cannot judge.
    #[schemars(with = "String", length(min = 1))]
    why: Spanned<String>,
}

fn names() -> Vec<&'static str> {
    Checker::plain().iter().map(Checker::name).collect()
}

pub(super) fn check(raw: Vec<RawWithout>, problems: &mut Problems) -> Vec<Without> {
    let mut checked = Vec::new();
    for without in raw {
        if without.why.get_ref().trim().is_empty() {
            problems.add(Problem::new(without.why.span(), "the reason is empty", "say why it cannot be judged here"));
        }
        match names().into_iter().find(|name| name == without.rule.get_ref()) {
            Some(rule) => checked.push(Without { rule, why: without.why.into_inner() }),
            None => problems.add(Problem::unknown(without.rule.span(), "rule", without.rule.get_ref(), &names())),
        }
    }
    checked
}

/// The scenario's own rules, and behind them those that it does not name.
pub(super) fn add_to(musts: Vec<Must>, without: &[Without], told: Told<'_>, problems: &mut Problems) -> Vec<Must> {
    let mut musts = musts;
    for rule in without.iter().map(Without::rule) {
        if musts.iter().any(|must| must.checker().name() == rule) {
            let what = format!("`{rule}` is held here and left out");
            problems.add(Problem::new(0..0, what, "in [[must]] and in `without`").help("take one of the two away"));
        }
    }
    let can_be_judged = |checker: &Checker| match checker {
        Checker::FaultsBit => !told.is_quiet(),
        Checker::EgressIsConfined => told.world.confines_egress(),
        _ => true,
    };
    for checker in Checker::plain().into_iter().filter(can_be_judged) {
        let name = checker.name();
        let is_named = musts.iter().any(|must| must.checker().name() == name);
        if is_named || without.iter().any(|without| without.rule == name) {
            continue;
        }
        let id = checker.rule().id;
        // Several checkers may share a rule.
        let is_taken = musts.iter().any(|must| must.id() == id);
        let id = if is_taken { format!("{id}-{name}") } else { id.to_owned() };
        musts.push(Must::of_the_baseline(checker, id));
    }
    musts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn every_rule_without_parameters_is_in_the_baseline() {
        let plain = Checker::CATALOGUE.iter().filter(|listed| listed.example == "{}").map(|listed| listed.name);
        assert_eq!(names(), plain.collect::<Vec<_>>());
    }

    #[test]
    fn what_a_file_does_not_name_is_held_all_the_same_unless_it_says_why_not() {
        let text = include_str!("../../../scenarios/unpaid-flood.toml");
        let scenario = |text: &str| Scenario::parse("test.toml", text);
        let held = |text: &str, rule: &str| {
            let scenario = scenario(text).map_err(miette::Report::new).expect("valid");
            scenario.musts().iter().filter(|must| must.checker().name() == rule).count()
        };
        assert_eq!((held(text, "head-is-free"), held(text, "settle-at-most-once")), (1, 1));
        let without = format!("without = [{{ rule = \"head-is-free\", why = \"nobody asks for a head\" }}]\n{text}");
        assert_eq!(held(&without, "head-is-free"), 0);
        for wrong in ["{ rule = \"head-is-fre\", why = \"x\" }", "{ rule = \"head-is-free\", why = \" \" }"] {
            assert!(scenario(&format!("without = [{wrong}]\n{text}")).is_err(), "{wrong}");
        }
    }
}
