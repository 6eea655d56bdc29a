//! Runs the controls and the bugs, on as many threads as there are cores: a simulated run stays on its thread, and so does
//! the bug that is planted for it.

use super::{Bug, Control, Score, SelftestError, Trial, load, switch};
use crate::{
    play::RunSpec,
    sim::{self, SimError},
};
use judge::{self, History};
use reports::report::Check;
use scenario::{Library, Scenario, Tier};
use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{Mutex, PoisonError},
    thread,
};
use system::clock::{Clock, SystemClock};

/// The seed of scenarios that have none.
const SEED: u64 = 1;

/// The stack of a thread. Unoptimised, a function that has many bugs keeps the locals of all its bodies at once.
const STACK_BYTES: usize = 256 << 20;

/// One simulated run: without a bug it is a control.
#[derive(Clone, Copy)]
struct Job<'a> {
    bug: Option<&'a Bug>,
    scenario: &'a str,
}

/// The scenarios in which a bug is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that its file names.
    Named,
    /// After those all others, the quick ones first, until one shows it.
    Everywhere,
}

/// Runs the self-test in this very build.
pub fn run(bugs: &[Bug], reach: Reach, say: &(dyn Fn(&str) + Sync)) -> Result<Score, SelftestError> {
    let library = Library::find();
    let named = load(bugs, &library)?;
    match reach {
        Reach::Named => in_named(bugs, &named, say),
        Reach::Everywhere => everywhere(bugs, named, &library, say),
    }
}

fn everywhere(
    bugs: &[Bug],
    mut scenarios: BTreeMap<String, Scenario>,
    library: &Library,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Score, SelftestError> {
    let clock = SystemClock::start();
    let simulated_ones = |scenario: &Scenario| scenario.runs_in(Tier::Sim) && Tier::Sim.runs(scenario);
    let others = library.scenarios()?.into_iter().filter(simulated_ones);
    scenarios.extend(others.map(|scenario| (scenario.id().as_str().to_owned(), scenario)));
    let effort = |scenario: &Scenario| scenario.arrivals(scenario.seed().unwrap_or(SEED)).len();
    let mut quick_first: Vec<_> = scenarios.iter().map(|(name, scenario)| (effort(scenario), name.as_str())).collect();
    quick_first.sort_unstable();
    let count = bugs.len();
    say(&format!("self-test  {count} bugs, each in up to {} scenarios of the simulated tier ...", scenarios.len()));
    let controls = each(&quick_first, |(_, name)| {
        let checks = simulated(Job { bug: None, scenario: name }, &scenarios[*name])?;
        Ok(Control::of(name, &checks))
    })?;
    let trials = each(bugs, |bug| {
        let own = bug.scenarios.iter().map(String::as_str);
        let rest =
            quick_first.iter().map(|(_, name)| *name).filter(|name| !bug.scenarios.iter().any(|own| own == name));
        let mut runs = Vec::new();
        for name in own.chain(rest) {
            let checks = simulated(Job { bug: Some(bug), scenario: name }, &scenarios[name])?;
            let shows_it = controls.iter().any(|control| control.scenario == name && control.is_unlike(&checks));
            runs.push((name, checks));
            if shows_it {
                break;
            }
        }
        let trial = Trial::of(bug, &runs, &controls);
        let (name, seen, count) = (&bug.name, trial.seen.said(), runs.len());
        let last = runs.last().map_or("", |(name, _)| *name);
        let rules = trial.others.join(", ");
        say(&format!("self-test  {name}: {seen}, in {last} ({count} scenarios) {rules}"));
        Ok(trial)
    })?;
    Ok(Score::of(Tier::Sim, controls, trials, clock.now_us() / 1_000))
}

fn in_named(
    bugs: &[Bug],
    scenarios: &BTreeMap<String, Scenario>,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Score, SelftestError> {
    let clock = SystemClock::start();
    let trials = bugs.iter().flat_map(|bug| bug.scenarios.iter().map(move |name| (Some(bug), name.as_str())));
    let controls = scenarios.keys().map(|name| (None, name.as_str()));
    let jobs: Vec<_> = controls.chain(trials).map(|(bug, scenario)| Job { bug, scenario }).collect();
    let count = bugs.len();
    say(&format!("self-test  {count} bugs and {} controls in the simulated tier ...", scenarios.len()));
    let judged = each(&jobs, |job| simulated(*job, &scenarios[job.scenario]))?;

    let mut controls = Vec::new();
    let mut by_bug: BTreeMap<&str, Vec<(&str, Vec<Check>)>> = BTreeMap::new();
    for (job, checks) in jobs.iter().zip(judged) {
        match job.bug {
            None => controls.push(Control::of(job.scenario, &checks)),
            Some(bug) => by_bug.entry(bug.name.as_str()).or_default().push((job.scenario, checks)),
        }
    }
    let trials = bugs.iter().map(|bug| Trial::of(bug, &by_bug[bug.name.as_str()], &controls)).collect();
    Ok(Score::of(Tier::Sim, controls, trials, clock.now_us() / 1_000))
}

fn simulated(job: Job<'_>, scenario: &Scenario) -> Result<Vec<Check>, SimError> {
    let seed = scenario.seed().unwrap_or(SEED);
    plant(job.bug);
    let history = sim::simulate(RunSpec { scenario, as_: job.scenario, tier: Tier::Sim, seed });
    plant(None);
    Ok(judge::judge(scenario.musts(), &History::new(history?)))
}

fn plant(bug: Option<&Bug>) {
    let name = bug.map(|bug| bug.name.as_str());
    switch::plant(name);
}

/// Does each piece of work on one of several threads, and hands back what came of them in their order.
fn each<T: Sync, R: Send>(work: &[T], act: impl Fn(&T) -> Result<R, SimError> + Sync) -> Result<Vec<R>, SimError> {
    let (next, done) = (Mutex::new(0), Mutex::new(BTreeMap::new()));
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads.min(work.len()) {
            let run = || {
                loop {
                    let at = {
                        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
                        *next += 1;
                        *next - 1
                    };
                    let Some(piece) = work.get(at) else { return };
                    let came = act(piece);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, came);
                }
            };
            thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, run)
                .expect("there is room for a thread");
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
