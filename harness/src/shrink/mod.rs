//! Makes a failure small: takes faults, clients, requests and time from its scenario for as long as the same rule still
//! breaks, in the simulated tier, where a try costs a second and a seed is a proof.

mod cuts;
mod found;

use crate::{
    exit::Exit,
    judge::{self, History},
    run::Asked,
    scenario::{InvalidScenario, Scenario, limits::MAX_FILE_BYTES},
    sim::{self, SimError},
    tier::Tier,
};
use cuts::{Cut, cuts, with_musts};
pub use found::Found;
use reports::verdict::Verdict;
use std::{
    io,
    path::{Path, PathBuf},
};
use toml::Table;

/// Simulations that are tried at most: minutes at a second each, and far more than a drawn scenario has parts.
const MAX_TRIES: usize = 500;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ShrinkError {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{0} is no TOML")]
    Toml(PathBuf, #[source] toml::de::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] InvalidScenario),
    #[error("nothing breaks in the simulated tier with seed {seed}")]
    #[diagnostic(help(
        "only what breaks there can be made small: give the seed of the run that broke with --seed; a failure that only the \
         live tier shows has to be cut down by hand"
    ))]
    Holds { seed: u64 },
    #[error("{rule} does not break with seed {seed}; what breaks is {breaks}")]
    #[diagnostic(help("leave --rule out, or name one of these"))]
    AnotherRule { rule: String, seed: u64, breaks: String },
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error("`{0}` cannot name a scenario")]
    #[diagnostic(help("give another with --name: lower-case letters, digits and single hyphens"))]
    Name(String),
    #[error("{0} has no seed of its own")]
    #[diagnostic(help("give the one with which it breaks: --seed N"))]
    NoSeed(PathBuf),
}

impl ShrinkError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Toml(..) | Self::Invalid(_) => Exit::BadScenario,
            Self::Holds { .. } => Exit::NothingRan,
            Self::AnotherRule { .. } | Self::Name(_) | Self::NoSeed(_) | Self::Read { .. } => Exit::Usage,
            Self::Sim(_) => Exit::Internal,
        }
    }
}

/// A failure made small.
pub struct Shrunk {
    /// The scenario's text.
    pub text: String,
    /// What it breaks.
    pub rules: Vec<String>,
    pub tries: usize,
    /// What was taken away, in order.
    pub taken: Vec<String>,
}

/// What is to be made small.
pub struct Failing<'a> {
    pub file: &'a Path,
    pub seed: u64,
    /// All that break, unless given.
    pub rule: Option<&'a str>,
    /// What the small one is called.
    pub name: &'a str,
}

/// `say` is told of each cut that was made. Blocks the thread, on which no other runtime may be running.
pub fn shrink(failing: &Failing<'_>, say: &dyn Fn(&str)) -> Result<Shrunk, ShrinkError> {
    let Failing { file, seed, rule, name } = *failing;
    let text = read(file)?;
    let mut table: Table = text.parse().map_err(|error| ShrinkError::Toml(file.to_owned(), error))?;
    // Told with its place in the file, before anything is changed.
    let whole = broken(&Scenario::parse(&file.display().to_string(), &text)?, seed)?;
    let rules = match rule {
        _ if whole.is_empty() => return Err(ShrinkError::Holds { seed }),
        None => whole,
        Some(rule) if whole.iter().any(|broke| broke == rule) => vec![rule.to_owned()],
        Some(rule) => return Err(ShrinkError::AnotherRule { rule: rule.to_owned(), seed, breaks: whole.join(", ") }),
    };
    table.insert("id".to_owned(), name.into());
    // It is there for another reason now.
    table.remove("why");
    table.insert("seed".to_owned(), (seed as i64).into());
    // Before all else: what is not expected need not be judged, and holds no phase in place.
    table = with_musts(&table, |id| rules.iter().any(|rule| rule == id));
    let (mut tries, mut taken) = (0, Vec::new());
    while let Some(Cut { what, left }) = next(&table, seed, &rules, &mut tries)? {
        say(&format!("without {what} it still breaks"));
        taken.push(what);
        table = left;
    }
    table.insert("title".to_owned(), format!("{} breaks", rules.join(" and ")).into());
    Ok(Shrunk { text: render(&table, &rules, seed), rules, tries, taken })
}

/// The first cut after which the same rules still break.
fn next(table: &Table, seed: u64, rules: &[String], tries: &mut usize) -> Result<Option<Cut>, ShrinkError> {
    for cut in cuts(table) {
        // What makes no sense any more costs no try.
        let Ok(scenario) = Scenario::parse("shrunk.toml", &cut.left.to_string()) else { continue };
        if *tries == MAX_TRIES {
            return Ok(None);
        }
        *tries += 1;
        let broken = broken(&scenario, seed)?;
        if rules.iter().all(|rule| broken.contains(rule)) {
            return Ok(Some(cut));
        }
    }
    Ok(None)
}

/// The rules that break.
fn broken(scenario: &Scenario, seed: u64) -> Result<Vec<String>, SimError> {
    let events = sim::simulate(Asked { scenario, as_: "shrunk", tier: Tier::Sim, seed })?;
    let checks = judge::judge(scenario.musts(), &History::new(events));
    let failed = checks.into_iter().filter(|check| check.verdict == Verdict::Fail);
    Ok(failed.map(|check| check.id).collect())
}

fn render(table: &Table, rules: &[String], seed: u64) -> String {
    let head = format!(
        "#:schema ../schema.json\n# Shrunk by `harness shrink`: with seed {seed}, this broke {}.\n",
        rules.join(", ")
    );
    head + &toml::to_string(table).expect("what came from TOML goes back into it")
}

fn read(file: &Path) -> Result<String, ShrinkError> {
    let unreadable = |source| ShrinkError::Read { path: file.to_owned(), source };
    let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES as u64 {
        return Err(InvalidScenario::too_big(&file.display().to_string(), bytes).into());
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that breaks for a plain reason among much that has nothing to do with it: its facilitators are all closed, and
    /// it wants success back before they open.
    const HOPELESS: &str = include_str!("../../../scenarios/outage.toml");

    #[test]
    fn what_does_not_break_cannot_be_made_small() {
        let file = tempfile("holds.toml", HOPELESS);
        let failing = Failing { file: &file, seed: 42, rule: None, name: "small" };
        assert!(matches!(shrink(&failing, &|_| {}), Err(ShrinkError::Holds { seed: 42 })));
    }

    #[test]
    fn a_failure_shrinks_to_what_it_needs_and_is_a_scenario_that_still_breaks() {
        let text = HOPELESS.replace("at-most = \"8s\"", "at-most = \"20ms\"");
        let file = tempfile("breaks.toml", &text);
        let failing = Failing { file: &file, seed: 42, rule: None, name: "small" };
        let shrunk = shrink(&failing, &|_| {}).map_err(miette::Report::new).expect("it breaks");
        assert_eq!(shrunk.rules, ["LATENCY-outage"]);
        let scenario = Scenario::parse("small.toml", &shrunk.text).map_err(miette::Report::new).expect("valid");
        assert_eq!(broken(&scenario, 42).unwrap(), ["LATENCY-outage"]);
        assert!(scenario.faults().len() <= 1 && scenario.musts().len() == 1, "{}", shrunk.text);
        assert_eq!(scenario.world().tenants().len(), 1, "{}", shrunk.text);

        let another = Failing { rule: Some("MONEY-1"), ..failing };
        assert!(matches!(shrink(&another, &|_| {}), Err(ShrinkError::AnotherRule { .. })));
    }

    fn tempfile(name: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("402claw-shrink-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a temporary file");
        file
    }
}
