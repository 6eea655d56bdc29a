//! `harness selftest`: plants one bug after another in the dispatcher and sees whether the rule that names it breaks. A
//! suite that passes whatever the dispatcher does would prove nothing.
//!
//! The bugs are files (`harness/bugs`), and what ships has no trace of them: they are planted in a copy of the sources. Most are in
//! the dispatcher's core and seen in the simulated tier: the copy's harness is built, and goes on in the place of this one. Those
//! in the Worker's adapters only bite where the Worker runs, so for the live tier the copy's Worker is built.

mod live;
mod score;
mod suite;
mod switch;

pub use crate::planting::{Bug, BugError, Edit};
pub use live::run as run_live;
pub use score::{Control, Score, Seen, Trial};
pub use suite::{Reach, run};
pub use switch::HAS_BUGS;

use crate::{
    exit::Exit,
    planting::{self, Misfit, Texts, copy},
    run::RunError,
    sim::SimError,
};
use judge::rule_of;
use miette::Diagnostic;
use scenario::{Library, LibraryError, Scenario, Tier, nearest};
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    io,
    path::Path,
};
use system::folders::workspace_root;
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
    OtherTier { bug: String, tier: &'static str },
    #[error("the bug `{bug}` is looked for in `{scenario}`, which does not hold `{checker}`")]
    #[diagnostic(help("name a scenario that holds the rule, or let this one hold it"))]
    NotHeld { bug: String, scenario: String, checker: &'static str },
    #[error("only simulated scenarios can all be looked through: a live one takes its own time")]
    #[diagnostic(help("leave out `--everywhere` or `--tier live`"))]
    Everywhere,
    #[error("{}", Told(.0))]
    #[diagnostic(help("a bug's file says what the code says: bring it up to date with the code"))]
    Misfits(Vec<Misfit>),
    #[error("the sources could not be read")]
    Sources(#[source] io::Error),
    #[error("the build with the bugs in it could not be started")]
    NotStarted(#[source] io::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Bug(#[from] BugError),
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
            Self::UnknownBug { .. }
            | Self::OtherTier { .. }
            | Self::NotHeld { .. }
            | Self::Everywhere
            | Self::Bug(_)
            | Self::Misfits(_) => Exit::Usage,
            Self::Library(_) => Exit::BadScenario,
            Self::Simulation(_) => Exit::DidNotStart,
            Self::Run(error) => error.exit(),
            Self::Sources(_) | Self::NotStarted(_) => Exit::Internal,
        }
    }
}

struct Told<'a>(&'a [Misfit]);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(Misfit::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Every bug: the repository's, then those of another folder.
pub fn catalogue(more: Option<&Path>) -> Result<Vec<Bug>, SelftestError> {
    let mut bugs = Bug::read_all(&workspace_root().join("harness/bugs"))?;
    if let Some(folder) = more {
        bugs.extend(Bug::read_all(folder)?);
    }
    let mut names: Vec<_> = bugs.iter().map(|bug| &bug.name).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(BugError::Twice { bug: twice[0].clone() }.into());
    }
    Ok(bugs)
}

/// The files of a workspace that are others once the bugs are planted.
pub fn plant(workspace: &Path, bugs: &[Bug]) -> Result<Texts, SelftestError> {
    let sources = copy::sources(workspace).map_err(SelftestError::Sources)?;
    planting::plant(&sources, bugs).map_err(SelftestError::Misfits)
}

/// The bugs of these names that are seen in a tier, each once; all of that tier's where none is named.
pub fn of_tier(all: &[Bug], names: &[String], tier: Tier) -> Result<Vec<Bug>, SelftestError> {
    let bugs = named(all, names)?;
    if let Some(elsewhere) = bugs.iter().find(|bug| !names.is_empty() && bug.tier != tier) {
        return Err(SelftestError::OtherTier { bug: elsewhere.name.clone(), tier: elsewhere.tier.as_str() });
    }
    Ok(bugs.into_iter().filter(|bug| bug.tier == tier).collect())
}

/// The bugs of these names; all of them where none is named.
pub fn named(all: &[Bug], names: &[String]) -> Result<Vec<Bug>, SelftestError> {
    for name in names {
        if !all.iter().any(|bug| bug.name == *name) {
            return Err(unknown(all, name));
        }
    }
    let wanted = |bug: &&Bug| names.is_empty() || names.contains(&bug.name);
    Ok(all.iter().filter(wanted).cloned().collect())
}

fn unknown(all: &[Bug], name: &str) -> SelftestError {
    let names: Vec<_> = all.iter().map(|bug| bug.name.as_str()).collect();
    let meant = nearest(name, &names).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let help = format!("{meant}`harness selftest --list` shows all of them");
    SelftestError::UnknownBug { wanted: name.to_owned(), help }
}

/// For programs: each bug with what it breaks, the rule that is to catch it, and where.
#[must_use]
pub fn as_json(bugs: &[Bug]) -> serde_json::Value {
    let told = |bug: &Bug| {
        serde_json::json!({
            "bug": bug.name, "breaks": bug.says, "rule": bug.rule.id, "checker": bug.rule.checker,
            "scenarios": bug.scenarios, "tier": bug.tier.as_str(),
        })
    };
    bugs.iter().map(told).collect()
}

/// Each bug with what it breaks, the rule that is to catch it, and where.
#[must_use]
pub fn list(bugs: &[Bug]) -> String {
    let mut text = String::new();
    for Bug { name, says, rule, scenarios, tier, .. } in bugs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}\n  {says}");
        let (tier, scenarios) = (tier.as_str(), scenarios.join(", "));
        let _ = writeln!(text, "  {} {}, in {scenarios} ({tier})", rule.id, rule.checker);
    }
    text
}

/// Looks whether each bug is looked for where its rule is held.
pub fn check(bugs: &[Bug]) -> Result<(), SelftestError> {
    load(bugs, &Library::find()).map(drop)
}

/// The scenarios in which the bugs are looked for, each of which must hold the bug's rule.
fn load(bugs: &[Bug], library: &Library) -> Result<BTreeMap<String, Scenario>, SelftestError> {
    let mut scenarios = BTreeMap::new();
    for bug in bugs {
        for name in &bug.scenarios {
            let scenario = library.load(name)?;
            if !scenario.musts().iter().any(|must| rule_of(must.checker()).checker == bug.rule.checker) {
                let (bug, checker) = (bug.name.clone(), bug.rule.checker);
                return Err(SelftestError::NotHeld { bug, scenario: name.clone(), checker });
            }
            scenarios.insert(name.clone(), scenario);
        }
    }
    Ok(scenarios)
}

#[cfg(test)]
mod tests {
    use super::*;
    use judge::{RULES, WITHOUT_A_BUG};

    fn all() -> Vec<Bug> {
        catalogue(None).map_err(miette::Report::new).expect("every bug of the repository can be read")
    }

    #[test]
    fn every_bug_is_looked_for_where_its_rule_is_held() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        load(&all(), &library).map_err(miette::Report::new).expect("each names scenarios that hold its rule");
    }

    #[test]
    fn every_bug_fits_the_sources() {
        plant(&workspace_root(), &all()).map_err(miette::Report::new).expect("each bug's file says what the code says");
    }

    #[test]
    fn every_rule_has_a_bug_or_a_reason_to_have_none() {
        let bugs = all();
        for rule in RULES {
            let reason = WITHOUT_A_BUG.iter().find(|(other, _)| other.checker == rule.checker);
            let has_a_bug = bugs.iter().any(|bug| bug.rule.checker == rule.checker);
            assert_ne!(has_a_bug, reason.is_some(), "{}: a bug, or a reason to have none", rule.checker);
        }
        assert!(WITHOUT_A_BUG.iter().all(|(_, why)| why.split(' ').count() > 5));
    }

    #[test]
    fn there_are_enough_bugs_of_each_sort() {
        for (sort, least) in [("MONEY-", 20), ("ISO-", 4), ("COST-", 6), ("LIVE-", 3)] {
            let of = all().iter().filter(|bug| bug.rule.id.starts_with(sort)).count();
            assert!(of >= least, "{sort}: {of}");
        }
    }

    #[test]
    fn a_mistyped_bug_is_answered_with_the_nearest() {
        let error = of_tier(&all(), &["settle-before-exekute".to_owned()], Tier::Sim).expect_err("it is mistyped");
        assert!(
            matches!(error, SelftestError::UnknownBug { help, .. } if help.starts_with("did you mean `settle-before-execute`?"))
        );
        assert_eq!(of_tier(&all(), &["head-sold".to_owned()], Tier::Sim).expect("there is one").len(), 1);
    }

    #[test]
    fn a_bug_is_planted_in_the_tier_that_can_see_it() {
        let all = all();
        let elsewhere = of_tier(&all, &["head-sold".to_owned()], Tier::Live).expect_err("the core is simulated");
        assert!(matches!(elsewhere, SelftestError::OtherTier { tier: "sim", .. }), "{elsewhere}");
        let (live, sim) = (of_tier(&all, &[], Tier::Live).expect("all"), of_tier(&all, &[], Tier::Sim).expect("all"));
        assert!(live.len() >= 8 && live.len() + sim.len() == all.len(), "{}", live.len());
    }

    #[test]
    fn the_list_tells_every_bug() {
        let (all, text) = (all(), list(&all()));
        assert!(all.iter().all(|bug| text.contains(&bug.name) && text.contains(&bug.says)), "{text}");
    }
}
