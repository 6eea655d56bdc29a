//! `harness selftest`: plants one bug after another in the dispatcher and sees whether the rule that names it breaks. A
//! suite that passes whatever the dispatcher does would prove nothing.
//!
//! The bugs are behind a feature that no build for use has (`x402-paywall/src/seeded.rs`). So the harness builds itself
//! once more, with them, and lets that build go on in its place; everything runs in the simulated tier.

mod expected;
mod score;
#[cfg(feature = "seeded-bugs")]
mod suite;

pub use score::{Control, Score, Seen, Trial};

use crate::{
    exit::Exit,
    scenario::{LibraryError, nearest},
    sim::SimError,
};
use dispatcher_core::paywall::seeded::Bug;
use expected::Expected;
use miette::Diagnostic;
use std::{fmt::Write, io};
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
pub enum SelftestError {
    #[error("there is no bug `{wanted}` to seed")]
    UnknownBug {
        wanted: String,
        #[help]
        help: String,
    },
    #[error("the build with the bugs in it could not be started")]
    NotStarted(#[source] io::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Simulation(#[from] SimError),
}

impl SelftestError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::UnknownBug { .. } => Exit::Usage,
            Self::Library(_) => Exit::BadScenario,
            Self::Simulation(_) => Exit::DidNotStart,
            Self::NotStarted(_) => Exit::Internal,
        }
    }
}

/// The bugs of these names, each once; all of them where none is named.
pub fn bugs(names: &[String]) -> Result<Vec<Bug>, SelftestError> {
    for name in names {
        if !Bug::ALL.iter().any(|bug| bug.name() == name) {
            return Err(unknown(name));
        }
    }
    let wanted = |bug: &Bug| names.is_empty() || names.iter().any(|name| name == bug.name());
    Ok(Bug::ALL.iter().copied().filter(wanted).collect())
}

fn unknown(name: &str) -> SelftestError {
    let names: Vec<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
    let meant = nearest(name, &names).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let help = format!("{meant}`harness selftest --list` shows all of them");
    SelftestError::UnknownBug { wanted: name.to_owned(), help }
}

/// Each bug with what it breaks, the rule that is to catch it, and where.
#[must_use]
pub fn list(bugs: &[Bug]) -> String {
    let mut text = String::new();
    for bug in bugs {
        let Expected { rule, scenarios } = Expected::of(*bug);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}\n  {}", bug.name(), bug.says());
        let _ = writeln!(text, "  {} {}, in {}", rule.id, rule.checker, scenarios.join(", "));
    }
    text
}

/// Runs the suite in this very build.
#[cfg(feature = "seeded-bugs")]
pub fn run(bugs: &[Bug], say: &(dyn Fn(&str) + Sync)) -> Result<Score, SelftestError> {
    suite::run(bugs, say)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Library;

    #[test]
    fn every_bug_is_looked_for_where_its_rule_is_held() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        for bug in Bug::ALL {
            let Expected { rule, scenarios } = Expected::of(*bug);
            assert!(!scenarios.is_empty(), "{bug:?}");
            for name in scenarios {
                let scenario = library.load(name).map_err(miette::Report::new).expect("it is in the library");
                let held =
                    scenario.musts().iter().any(|must| crate::judge::rule_of(must.checker()).checker == rule.checker);
                assert!(held, "{name} does not hold {}, which is to catch {bug:?}", rule.checker);
            }
        }
    }

    #[test]
    fn no_two_bugs_share_a_name_and_there_are_enough_of_each_sort() {
        let mut names: Vec<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Bug::ALL.len());
        for (sort, least) in [("MONEY-", 20), ("ISO-", 4), ("COST-", 6), ("LIVE-", 3)] {
            let of = Bug::ALL.iter().filter(|bug| Expected::of(**bug).rule.id.starts_with(sort)).count();
            assert!(of >= least, "{sort}: {of}");
        }
    }

    #[test]
    fn a_mistyped_bug_is_answered_with_the_nearest() {
        let error = bugs(&["settle-before-exekute".to_owned()]).expect_err("it is mistyped");
        assert!(
            matches!(error, SelftestError::UnknownBug { help, .. } if help.starts_with("did you mean `settle-before-execute`?"))
        );
        assert_eq!(bugs(&["head-sold".to_owned()]).expect("there is one").len(), 1);
    }

    #[test]
    fn the_list_tells_every_bug() {
        let text = list(Bug::ALL);
        assert!(Bug::ALL.iter().all(|bug| text.contains(bug.name()) && text.contains(bug.says())), "{text}");
    }
}
