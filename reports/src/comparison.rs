//! Two judgements of one scenario, rule by rule: what one has and the other has not.

use crate::{report::Report, verdict::Verdict};
use std::collections::BTreeMap;

/// The verdict of each rule, by its id.
pub type Verdicts = BTreeMap<String, Verdict>;

/// A rule that two judgements do not agree on. `None`: it was not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    pub rule: String,
    pub first: Option<Verdict>,
    pub second: Option<Verdict>,
}

#[must_use]
pub fn verdicts(report: &Report) -> Verdicts {
    report.checks.iter().map(|check| (check.id.clone(), check.verdict)).collect()
}

/// In the rules' order, those that only one has among them.
#[must_use]
pub fn disagreements(first: &Verdicts, second: &Verdicts) -> Vec<Disagreement> {
    let mut rules: Vec<_> = first.keys().chain(second.keys().filter(|rule| !first.contains_key(*rule))).collect();
    rules.sort();
    let told = rules.into_iter().map(|rule| Disagreement {
        rule: rule.clone(),
        first: first.get(rule).copied(),
        second: second.get(rule).copied(),
    });
    told.filter(|one| one.first != one.second).collect()
}

impl Disagreement {
    /// In a line; the names say whose judgements they are.
    #[must_use]
    pub fn tell(&self, first: &str, second: &str) -> String {
        let word = |verdict: Option<Verdict>| verdict.map_or("not judged", Verdict::as_str);
        format!("{}: {} {first}, {} {second}", self.rule, word(self.first), word(self.second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    #[test]
    fn what_differs_is_told_and_what_only_one_has() {
        let (mut first, second) = (verdicts(&passing()), verdicts(&passing()));
        assert_eq!(disagreements(&first, &second), []);
        let (rule, _) = first.pop_first().unwrap();
        let told: Vec<_> = disagreements(&first, &second).iter().map(|one| one.tell("then", "now")).collect();
        assert_eq!(told, [format!("{rule}: not judged then, pass now")]);
        assert!(!disagreements(&verdicts(&failing()), &second).is_empty());
    }
}
