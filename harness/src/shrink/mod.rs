//! Makes a failure small: takes faults, clients, requests and time from its scenario for as long as the same rule still
//! breaks, in the simulated tier, where a try costs a second and a seed is a proof.

mod cuts;
mod found;

use crate::{
    exit::Exit,
    play::RunSpec,
    sim::{self, SimError},
};
use cuts::{Cut, cuts, with_musts};
pub use found::Found;
use judge::{self, History};
use reports::{level::Level, report::Check, verdict::Verdict};
use scenario::{InvalidScenario, Profile, Scenario, Tier, limits::MAX_FILE_BYTES};
use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};
use toml::Table;

/// Simulations that are tried at most: minutes at a second each, and far more than a drawn scenario has parts.
const MAX_TRIES: usize = 500;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ShrinkError {
    #[error("{path} cannot be read")]
    #[diagnostic(help("the folder of a run, a scenario's name, or its .toml file"))]
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
    /// The rules that it breaks.
    pub rules: Vec<String>,
    pub tries: usize,
    /// The cuts, in order.
    pub taken: Vec<String>,
    pub ended: Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No single cut leaves it broken.
    Smallest,
    OutOfTries,
    /// Somebody had no more patience: it is as small as it was by then.
    Stopped,
}

/// The failure that is to be made small.
pub struct Failing<'a> {
    pub file: &'a Path,
    pub seed: u64,
    /// Unless given, all that keep the run from passing.
    pub rule: Option<&'a str>,
    /// The name of the small one.
    pub name: &'a str,
}

/// `say` is told of each cut that was made. Blocks the thread, on which no other runtime may be running, until it is done or
/// `stop` is set.
pub fn shrink(failing: &Failing<'_>, stop: &AtomicBool, say: &dyn Fn(&str)) -> Result<Shrunk, ShrinkError> {
    let Failing { file, seed, rule, name } = *failing;
    let text = read(file)?;
    let mut table: Table = text.parse().map_err(|error| ShrinkError::Toml(file.to_owned(), error))?;
    // Told with its place in the file, before anything is changed.
    let scenario = Scenario::parse(&file.display().to_string(), &text)?;
    let whole = broken(&scenario, seed)?;
    let rules = match rule {
        _ if whole.is_empty() => return Err(ShrinkError::Holds { seed }),
        None => weightiest(whole),
        Some(rule) => match whole.iter().find(|broke| broke.id == rule) {
            Some(found) => vec![found.clone()],
            None => {
                let breaks = ids(&whole).join(", ");
                return Err(ShrinkError::AnotherRule { rule: rule.to_owned(), seed, breaks });
            }
        },
    };
    table.insert("id".to_owned(), name.into());
    table.insert("title".to_owned(), format!("{} broke: {}", ids(&rules).join(", "), rules[0].expected).into());
    // It is there for another reason now, and takes another time.
    table.insert("why".to_owned(), format!("Shrunk from {} with seed {seed}", scenario.id()).into());
    table.remove("profile");
    table.insert("seed".to_owned(), (seed as i64).into());
    let rules = ids(&rules);
    // Before all else: what is not expected need not be judged, and holds no phase in place.
    table = with_musts(&table, |id| rules.iter().any(|rule| rule == id));
    let mut shrinking = Shrinking { table, seed, rules, tries: 0, taken: Vec::new() };
    let ended = shrinking.run(stop, say);
    let Shrinking { mut table, rules, tries, taken, .. } = shrinking;
    if Scenario::parse("shrunk.toml", &table.to_string())?.end() > Profile::LONGEST_NIGHTLY {
        table.insert("profile".to_owned(), Profile::Release.as_str().into());
    }
    Ok(Shrunk { text: render(&table, &rules, seed), rules, tries, taken, ended })
}

struct Shrinking {
    table: Table,
    seed: u64,
    rules: Vec<String>,
    tries: usize,
    taken: Vec<String>,
}

impl Shrinking {
    /// One cut after the other, and all over again for as long as one was made: what could not go may go without another.
    fn run(&mut self, stop: &AtomicBool, say: &dyn Fn(&str)) -> Ended {
        loop {
            let (before, mut at) = (self.taken.len(), 0);
            while let Some(Cut { what, left }) = cuts(&self.table).into_iter().nth(at) {
                if stop.load(Ordering::Relaxed) {
                    return Ended::Stopped;
                }
                if self.tries == MAX_TRIES {
                    return Ended::OutOfTries;
                }
                if self.still_breaks(&left) {
                    say(&format!("without {what} it still breaks"));
                    self.taken.push(what);
                    self.table = left;
                } else {
                    at += 1;
                }
            }
            if self.taken.len() == before {
                return Ended::Smallest;
            }
        }
    }

    /// Tells whether a cut is worth a try. One that makes no sense costs none, and what cannot be simulated breaks
    /// nothing.
    fn still_breaks(&mut self, left: &Table) -> bool {
        let Ok(scenario) = Scenario::parse("shrunk.toml", &left.to_string()) else { return false };
        self.tries += 1;
        let Ok(broken) = broken(&scenario, self.seed) else { return false };
        self.rules.iter().all(|rule| broken.iter().any(|broke| broke.id == *rule))
    }
}

/// The checks that fail.
fn broken(scenario: &Scenario, seed: u64) -> Result<Vec<Check>, SimError> {
    let events = sim::simulate(RunSpec { scenario, as_: "shrunk", tier: Tier::Sim, seed })?;
    let checks = judge::judge(scenario.musts(), &History::new(events));
    Ok(checks.into_iter().filter(|check| check.verdict == Verdict::Fail).collect())
}

/// The rules that must go on breaking. Those that only tell are left out beside those that fail a run.
fn weightiest(broken: Vec<Check>) -> Vec<Check> {
    let weightiest = [Level::Must, Level::Should, Level::Observe]
        .into_iter()
        .find(|level| broken.iter().any(|check| check.level == *level));
    broken.into_iter().filter(|check| Some(check.level) == weightiest).collect()
}

fn ids(checks: &[Check]) -> Vec<String> {
    checks.iter().map(|check| check.id.clone()).collect()
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
    use std::time::Duration;

    static GO_ON: AtomicBool = AtomicBool::new(false);

    /// One that breaks for a plain reason among much that has nothing to do with it: its facilitators are all closed, and
    /// it wants success back before they open.
    const HOPELESS: &str = include_str!("../../../scenarios/outage.toml");

    #[test]
    fn what_does_not_break_cannot_be_made_small() {
        let file = tempfile("holds.toml", HOPELESS);
        let failing = Failing { file: &file, seed: 42, rule: None, name: "small" };
        assert!(matches!(shrink(&failing, &GO_ON, &|_| {}), Err(ShrinkError::Holds { seed: 42 })));
    }

    #[test]
    fn a_failure_shrinks_to_what_it_needs_and_is_a_scenario_that_still_breaks() {
        let text = HOPELESS.replace("at-most = \"8s\"", "at-most = \"20ms\"");
        let file = tempfile("breaks.toml", &text);
        let failing = Failing { file: &file, seed: 42, rule: None, name: "small" };
        let shrunk = shrink(&failing, &GO_ON, &|_| {}).map_err(miette::Report::new).expect("it breaks");
        assert_eq!(
            (shrunk.rules.as_slice(), shrunk.ended),
            (["LATENCY-outage".to_owned()].as_slice(), Ended::Smallest)
        );
        let scenario = Scenario::parse("small.toml", &shrunk.text).map_err(miette::Report::new).expect("valid");
        assert_eq!(ids(&broken(&scenario, 42).unwrap()), ["LATENCY-outage"]);
        assert_eq!(scenario.why(), Some("Shrunk from outage with seed 42"));
        assert!(scenario.title().starts_with("LATENCY-outage broke: p95 of outage"), "{}", scenario.title());
        assert!(scenario.end() < Duration::from_secs(10), "{}", shrunk.text);
        assert!(
            scenario.faults().len() <= 1 && scenario.musts().iter().filter(|must| !must.is_baseline()).count() == 1,
            "{}",
            shrunk.text
        );
        assert_eq!(scenario.world().tenants().len(), 1, "{}", shrunk.text);

        let another = Failing { rule: Some("MONEY-1"), ..failing };
        assert!(matches!(shrink(&another, &GO_ON, &|_| {}), Err(ShrinkError::AnotherRule { .. })));
    }

    #[test]
    fn who_stops_it_keeps_what_is_small_by_then() {
        let file = tempfile("stopped.toml", &HOPELESS.replace("at-most = \"8s\"", "at-most = \"20ms\""));
        let failing = Failing { file: &file, seed: 42, rule: None, name: "small" };
        let stop = AtomicBool::new(false);
        let shrunk = shrink(&failing, &stop, &|_| stop.store(true, Ordering::Relaxed)).expect("it breaks");
        assert_eq!((shrunk.taken.len(), shrunk.ended), (1, Ended::Stopped));
        Scenario::parse("small.toml", &shrunk.text).map_err(miette::Report::new).expect("valid");
    }

    fn tempfile(name: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("402claw-shrink-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a temporary file");
        file
    }
}
