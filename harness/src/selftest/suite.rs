//! Runs the controls and the bugs, on as many threads as there are cores: a simulated run stays on its thread, and so does
//! the bug that is planted for it.

use super::{Control, Expected, Score, SelftestError, Trial};
use crate::{
    run::Asked,
    sim::{self, SimError},
};
use dispatcher_core::paywall::seeded::{self, Bug};
use judge::{self, History};
use reports::report::Check;
use scenario::{Library, Scenario, Tier};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    sync::{Mutex, PoisonError},
    thread,
};
use system::clock::{Clock, SystemClock};

/// For scenarios that have none.
const SEED: u64 = 1;

/// One simulated run: without a bug it is a control.
#[derive(Clone, Copy)]
struct Job {
    bug: Option<Bug>,
    scenario: &'static str,
}

pub fn run(bugs: &[Bug], say: &(dyn Fn(&str) + Sync)) -> Result<Score, SelftestError> {
    let clock = SystemClock::start();
    let trials = bugs.iter().flat_map(|bug| Expected::of(*bug).scenarios.iter().map(|name| (Some(*bug), *name)));
    let used: BTreeSet<_> = trials.clone().map(|(_, name)| name).collect();
    let jobs: Vec<_> = used.iter().map(|name| (None, *name)).chain(trials).collect();
    let jobs: Vec<_> = jobs.into_iter().map(|(bug, scenario)| Job { bug, scenario }).collect();
    let library = Library::find();
    let scenarios: BTreeMap<_, _> =
        used.iter().map(|name| Ok((*name, library.load(name)?))).collect::<Result<_, SelftestError>>()?;
    let count = bugs.len();
    say(&format!("self-test  {count} bugs and {} controls in the simulated tier ...", used.len()));
    let judged = each(&jobs, |job| simulated(*job, &scenarios[job.scenario]))?;

    let mut controls = Vec::new();
    let mut by_bug: BTreeMap<&str, Vec<(&str, Vec<Check>)>> = BTreeMap::new();
    for (job, checks) in jobs.iter().zip(judged) {
        match job.bug {
            None => controls.push(Control::of(job.scenario, &checks)),
            Some(bug) => by_bug.entry(bug.name()).or_default().push((job.scenario, checks)),
        }
    }
    let trials = bugs.iter().map(|bug| Trial::of(*bug, &by_bug[bug.name()])).collect();
    Ok(Score::of(Tier::Sim, controls, trials, clock.now_us() / 1_000))
}

fn simulated(job: Job, scenario: &Scenario) -> Result<Vec<Check>, SimError> {
    let seed = scenario.seed().unwrap_or(SEED);
    seeded::plant(job.bug);
    let history = sim::simulate(Asked { scenario, as_: job.scenario, tier: Tier::Sim, seed });
    seeded::plant(None);
    Ok(judge::judge(scenario.musts(), &History::new(history?)))
}

/// Does each piece of work on one of several threads, and hands back what came of them in their order.
fn each<T: Sync, R: Send>(work: &[T], act: impl Fn(&T) -> Result<R, SimError> + Sync) -> Result<Vec<R>, SimError> {
    let (next, done) = (Mutex::new(0), Mutex::new(BTreeMap::new()));
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads.min(work.len()) {
            scope.spawn(|| {
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
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
