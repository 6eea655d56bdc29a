//! What a gate writes down of the sources and the machine, and what it plans by.

use crate::live::machine::others_now;
use gate::{Facts, Machine, Profile, ScenarioFacts, Source};
use scenario::{Library, LibraryError, Scenario, Selection, Tier};
use std::{fs, path::Path, process::Command, thread, time::Duration};
use system::{
    clock::{Clock, SystemClock},
    folders::workspace_root,
};

/// More changed files than anybody reads.
const MOST_CHANGED: usize = 20;

/// Every scenario of the library, as a plan knows it.
pub fn scenarios(library: &Library) -> Result<Facts, LibraryError> {
    let regressions = library.regressions();
    let facts = |scenario: &Scenario| ScenarioFacts {
        id: scenario.id().to_string(),
        lasts: scenario.end(),
        first: profile(scenario.profile()),
        is_regression: regressions.join(format!("{}.toml", scenario.id())).is_file(),
        runs_simulated: scenario.runs_in(Tier::Sim) && Tier::Sim.runs(scenario),
        runs_live: scenario.runs_in(Tier::Live),
    };
    Ok(Facts { scenarios: library.select(&Selection::default())?.iter().map(facts).collect() })
}

/// The gate's word for a scenario's profile.
#[must_use]
pub fn profile(profile: scenario::Profile) -> Profile {
    match profile {
        scenario::Profile::Pr => Profile::Pr,
        scenario::Profile::Nightly => Profile::Nightly,
        scenario::Profile::Release => Profile::Release,
    }
}

/// The commit, and what differs from it. Where git says nothing there is no commit, and nothing is clean.
#[must_use]
pub fn source(bundle_given: bool) -> Source {
    let root = workspace_root();
    let commit = git(&root, &["rev-parse", "HEAD"]).map(|told| told.trim().to_owned());
    let status = git(&root, &["status", "--porcelain"]);
    let changed: Vec<String> = status.iter().flat_map(|told| told.lines()).map(str::to_owned).collect();
    let clean = status.is_some() && changed.is_empty();
    Source { commit, clean, changed: changed.into_iter().take(MOST_CHANGED).collect(), bundle_given }
}

fn git(root: &Path, args: &[&str]) -> Option<String> {
    let told = Command::new("git").arg("-C").arg(root).args(args).output().ok()?;
    told.status.success().then(|| String::from_utf8_lossy(&told.stdout).into_owned())
}

/// The machine, as it is before the gate uses it.
pub async fn machine() -> Machine {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_else(|| "unknown".to_owned())
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    Machine {
        cores: thread::available_parallelism().map_or(1, usize::from) as u32,
        cpu: field(&read("/proc/cpuinfo"), "model name"),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        memory_mb: memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_024,
        others_before_percent: others_now(Duration::from_secs(1)).await.map(|cores| (cores * 100.0) as u32),
    }
}

/// Unix milliseconds.
#[must_use]
pub fn now_ms() -> u64 {
    SystemClock::new().unix_now() * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_planned_somewhere() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let facts = scenarios(&library).expect("the library can be read");
        let jobs = gate::plan(Profile::Release, &facts);
        for scenario in &facts.scenarios {
            let named = |tier: &str| jobs.iter().any(|job| job.id == format!("{tier}:{}", scenario.id));
            assert!(named("sim") || named("live"), "{}", scenario.id);
        }
    }

    #[test]
    fn what_a_change_is_held_to_takes_a_quarter_of_an_hour_on_two_cores() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let facts = scenarios(&library).expect("the library can be read");
        let estimate = gate::runs_for(&gate::plan(Profile::Pr, &facts), 2);
        assert!(estimate <= Profile::Pr.time(), "{estimate:?}");
    }
}
