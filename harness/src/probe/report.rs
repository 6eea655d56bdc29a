//! The checks as a table for people, and what they come to.

use super::check::{Check, Level, Outcome};
use crate::exit::Exit;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Write;

/// Version of the JSON form.
pub const CONFORM_SCHEMA: u32 = 2;

/// The most of a stranger's answer that a report repeats, in characters.
const MAX_DETAIL_CHARS: usize = 400;

#[derive(Clone, Debug, Serialize)]
pub struct Conformity {
    pub schema: u32,
    pub target: String,
    pub checks: Vec<Check>,
}

impl Conformity {
    pub fn new(target: &str, checks: Vec<Check>) -> Self {
        Self { schema: CONFORM_SCHEMA, target: target.to_owned(), checks }
    }

    pub fn exit(&self) -> Exit {
        let must =
            |outcome: Outcome| self.checks.iter().any(|check| check.level == Level::Must && check.outcome == outcome);
        match () {
            () if must(Outcome::Fail) => Exit::RuleBroken,
            () if must(Outcome::NotJudged) => Exit::Unknown,
            () if must(Outcome::Pass) => Exit::Pass,
            () => Exit::NothingRan,
        }
    }

    /// In the form that all judgements share.
    pub fn report(&self) -> reports::report::Report {
        use reports::{level::Level as Weighs, report::Check as Judged, verdict::Verdict};
        let judged = |check: &Check| {
            let verdict = match check.outcome {
                Outcome::Pass | Outcome::DoesNotApply => Verdict::Pass,
                Outcome::Fail => Verdict::Fail,
                Outcome::NotJudged => Verdict::Unknown,
            };
            let level = match (check.outcome, check.level) {
                (Outcome::DoesNotApply, _) => Weighs::Observe,
                (_, Level::Must) => Weighs::Must,
                (_, Level::Should) => Weighs::Should,
            };
            let detail = if check.outcome == Outcome::DoesNotApply { "does not apply" } else { check.detail.as_str() };
            let sources = vec![check.rests_on.clone()];
            Judged { level, sources, ..Judged::of(&check.id, "conform", &check.says, verdict, &plain(detail)) }
        };
        let checks = self.checks.iter().map(judged).collect();
        reports::report::Report::of_checks("conform", &plain(&self.target), checks, self.exit().code())
    }

    pub fn table(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing to a string cannot fail");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{}\n", plain(&self.target))?;
        let width = self.checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
        for check in &self.checks {
            let (word, style) = match (check.outcome, check.level) {
                (Outcome::Pass, _) => ("pass", AnsiColor::Green.on_default()),
                (Outcome::Fail, Level::Must) => ("fail", AnsiColor::Red.on_default().bold()),
                (Outcome::Fail, Level::Should) => ("warn", AnsiColor::Yellow.on_default()),
                (Outcome::NotJudged, _) => ("not judged", AnsiColor::Yellow.on_default()),
                (Outcome::DoesNotApply, _) => ("-", Style::new().dimmed()),
            };
            writeln!(out, "  {style}{word:<10}{style:#}  {:width$}  {}", check.id, plain(&check.says))?;
            if !check.detail.is_empty() {
                writeln!(out, "              {:width$}  {}", "", plain(&check.detail))?;
            }
            if check.outcome == Outcome::Fail {
                writeln!(out, "              {:width$}  rests on: {}", "", plain(&check.rests_on))?;
            }
        }
        let count = |outcome, level| {
            self.checks.iter().filter(|check| check.outcome == outcome && level == check.level).count()
        };
        let both = |outcome| count(outcome, Level::Must) + count(outcome, Level::Should);
        writeln!(
            out,
            "\n{} held, {} broke, {} to mind, {} not judged, {} do not apply; exit code {}",
            both(Outcome::Pass),
            count(Outcome::Fail, Level::Must),
            count(Outcome::Fail, Level::Should),
            both(Outcome::NotJudged),
            both(Outcome::DoesNotApply),
            self.exit().code()
        )
    }
}

/// Without what could steer a terminal, and not for ever.
fn plain(text: &str) -> String {
    let shown: String = text.chars().filter(|character| !character.is_control()).take(MAX_DETAIL_CHARS).collect();
    let more = if shown.len() < text.len() && text.chars().count() > MAX_DETAIL_CHARS { "..." } else { "" };
    shown + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::check::Rule;

    fn conformity(checks: &[(Level, Outcome)]) -> Conformity {
        let check = |(level, outcome): &(Level, Outcome)| {
            Rule { id: "X-1", level: *level, says: "it holds", rests_on: "a rule" }.came_to(*outcome, "\u{1b}[31mseen")
        };
        Conformity::new("http://localhost/", checks.iter().map(check).collect())
    }

    #[test]
    fn a_broken_must_decides_and_a_broken_should_is_told() {
        use Level::{Must, Should};
        use Outcome::{DoesNotApply, Fail, NotJudged, Pass};
        assert_eq!(conformity(&[(Must, Pass), (Must, Fail), (Must, NotJudged)]).exit(), Exit::RuleBroken);
        assert_eq!(conformity(&[(Must, Pass), (Must, NotJudged)]).exit(), Exit::Unknown);
        assert_eq!(conformity(&[(Must, Pass), (Should, Fail), (Must, DoesNotApply)]).exit(), Exit::Pass);
        assert_eq!(conformity(&[(Should, Pass), (Must, DoesNotApply)]).exit(), Exit::NothingRan);
        let table = conformity(&[(Must, Fail), (Should, Fail)]).table();
        assert!(table.contains("rests on: a rule") && table.contains("1 broke, 1 to mind"), "{table}");
        assert!(!anstream::adapter::strip_str(&table).to_string().contains('\u{1b}'));
    }
}
