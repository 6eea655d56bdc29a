//! `harness selftest`: plants one bug after another in the dispatcher and sees whether the rule that names it breaks. A
//! suite that passes whatever the dispatcher does would prove nothing.
//!
//! The bugs are behind a feature that no build for use has (`x402-paywall/src/seeded.rs`). Most are in the dispatcher's core and
//! seen in the simulated tier: the harness builds itself once more, with them, and lets that build go on in its place. Those in the
//! Worker's adapters only bite where the Worker runs, so for the live tier it builds a Worker with them.

mod expected;
mod live;
mod score;
#[cfg(feature = "seeded-bugs")]
mod suite;

pub use live::run as run_live;
pub use score::{Control, Score, Seen, Trial};

use crate::{exit::Exit, run::RunError, sim::SimError};
use dispatcher_core::paywall::seeded::Bug;
use expected::Expected;
use miette::Diagnostic;
use scenario::{LibraryError, Tier, nearest};
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
    #[error("the bug `{bug}` is not seen in this tier")]
    #[diagnostic(help("run it with `--tier {tier}`"))]
    OtherTier { bug: &'static str, tier: &'static str },
    #[error("the build with the bugs in it could not be started")]
    NotStarted(#[source] io::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Simulation(#[from] SimError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
}

impl SelftestError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::UnknownBug { .. } | Self::OtherTier { .. } => Exit::Usage,
            Self::Library(_) => Exit::BadScenario,
            Self::Simulation(_) => Exit::DidNotStart,
            Self::Run(error) => error.exit(),
            Self::NotStarted(_) => Exit::Internal,
        }
    }
}

/// The bugs of these names that are seen in a tier, each once; all of that tier's where none is named.
pub fn bugs(names: &[String], tier: Tier) -> Result<Vec<Bug>, SelftestError> {
    let bugs = named(names)?;
    let of_tier = |bug: &Bug| Expected::of(*bug).tier == tier;
    if let Some(elsewhere) = bugs.iter().find(|bug| !names.is_empty() && !of_tier(bug)) {
        return Err(SelftestError::OtherTier { bug: elsewhere.name(), tier: Expected::of(*elsewhere).tier.as_str() });
    }
    Ok(bugs.into_iter().filter(of_tier).collect())
}

/// The bugs of these names; all of them where none is named.
pub fn named(names: &[String]) -> Result<Vec<Bug>, SelftestError> {
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
        let Expected { tier, rule, scenarios } = Expected::of(*bug);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}\n  {}", bug.name(), bug.says());
        let (tier, scenarios) = (tier.as_str(), scenarios.join(", "));
        let _ = writeln!(text, "  {} {}, in {scenarios} ({tier})", rule.id, rule.checker);
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
    use scenario::Library;

    #[test]
    fn every_bug_is_looked_for_where_its_rule_is_held() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        for bug in Bug::ALL {
            let Expected { rule, scenarios, .. } = Expected::of(*bug);
            assert!(!scenarios.is_empty(), "{bug:?}");
            for name in scenarios {
                let scenario = library.load(name).map_err(miette::Report::new).expect("it is in the library");
                let held = scenario.musts().iter().any(|must| judge::rule_of(must.checker()).checker == rule.checker);
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
        let error = bugs(&["settle-before-exekute".to_owned()], Tier::Sim).expect_err("it is mistyped");
        assert!(
            matches!(error, SelftestError::UnknownBug { help, .. } if help.starts_with("did you mean `settle-before-execute`?"))
        );
        assert_eq!(bugs(&["head-sold".to_owned()], Tier::Sim).expect("there is one").len(), 1);
    }

    #[test]
    fn a_bug_is_planted_in_the_tier_that_can_see_it() {
        let elsewhere = bugs(&["head-sold".to_owned()], Tier::Live).expect_err("the core is simulated");
        assert!(matches!(elsewhere, SelftestError::OtherTier { tier: "sim", .. }), "{elsewhere}");
        let (live, sim) = (bugs(&[], Tier::Live).expect("all"), bugs(&[], Tier::Sim).expect("all"));
        assert!(live.len() >= 8 && live.len() + sim.len() == Bug::ALL.len(), "{}", live.len());
        assert!(live.iter().all(|bug| bug.is_in_the_worker()));
    }

    #[test]
    fn the_list_tells_every_bug() {
        let text = list(Bug::ALL);
        assert!(Bug::ALL.iter().all(|bug| text.contains(bug.name()) && text.contains(bug.says())), "{text}");
    }
}
