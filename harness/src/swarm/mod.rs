//! Scenarios that nobody wrote: drawn from seeds, simulated on every core, judged, until something breaks.
//!
//! Which runs there are depends on the swarm's seed alone, not on threads or time: time only says how far it comes.

mod draw;
mod merge;
mod render;
mod report;
mod seed;
mod tally;

pub use draw::draw;
pub use merge::{MergeError, merge};
pub use render::render;
pub use report::report;
pub use seed::{NoSeed, SwarmSeed};
pub use tally::{Failure, Misfit, Tally, Verdicts};

use crate::{
    exit::Exit,
    play::{RunDir, RunDirError, RunSpec},
    recording::Here,
    run::RunError,
    sim,
};
use judge::{self, History};
use reports::{
    event::{Event, Recorded},
    report::Check,
    verdict::Verdict,
};
use scenario::{Scenario, Tier};
use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use system::{
    clock::{Clock, SystemClock},
    progress::Headway,
};

/// Which of a swarm's runs are this machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: u64,
    pub of: u64,
}

impl Shard {
    pub const ALL: Self = Self { index: 0, of: 1 };
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no shard: write I/N, counted from 0, such as 0/8")]
pub struct NoShard(String);

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parse = |(index, of): (&str, &str)| Some(Self { index: index.parse().ok()?, of: of.parse().ok()? });
        let shard = text.split_once('/').and_then(parse);
        shard.filter(|shard| shard.index < shard.of).ok_or_else(|| NoShard(text.to_owned()))
    }
}

/// How long to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Runs(u64),
    Time(Duration),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: SwarmSeed,
    pub shard: Shard,
    pub extent: Extent,
    pub threads: usize,
    /// Whether a broken run ends it.
    pub until_broken: bool,
    /// The folder for broken runs.
    pub runs: PathBuf,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SwarmError {
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    #[error("run {seed} could not be simulated")]
    Run { seed: u64, source: Box<RunError> },
    #[error("the scenario of a broken run could not be kept at {path}")]
    Keep { path: PathBuf, source: std::io::Error },
    #[error("a thread of the swarm panicked; the message above says where")]
    Panicked,
}

/// Simulates until the plan is done or, if it says so, something broke. `stop` ends it early; `say` is told of each broken
/// run.
pub fn swarm(plan: &Plan, stop: &AtomicBool, say: &(dyn Fn(&str) + Sync)) -> Result<Tally, SwarmError> {
    let clock = SystemClock::start();
    let (next, broken) = (AtomicU64::new(0), AtomicU64::new(0));
    let headway = Headway::of(match plan.extent {
        Extent::Runs(runs) => runs,
        Extent::Time(time) => time.as_secs(),
    });
    let work = || -> Result<Tally, SwarmError> {
        let mut tally = Tally::new(plan.seed.into(), plan.shard.index, plan.shard.of);
        while !stop.load(Ordering::Relaxed) {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let done = match plan.extent {
                Extent::Runs(runs) => n >= runs,
                Extent::Time(time) => clock.now_us() >= time.as_micros() as u64,
            };
            if done {
                break;
            }
            let far = if matches!(plan.extent, Extent::Runs(_)) { n } else { clock.now_us() / 1_000_000 };
            headway.at(far, &format!("{n} runs begun, {} broken", broken.load(Ordering::Relaxed)));
            let seed = plan.seed.of_run(plan.shard.index + n * plan.shard.of);
            if let Some(failure) = run(seed, plan, &clock, &mut tally)? {
                broken.fetch_add(1, Ordering::Relaxed);
                say(&render::failure(&failure));
                tally.failures.push(failure);
                if plan.until_broken {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        Ok(tally)
    };
    let mut all = Tally::new(plan.seed.into(), plan.shard.index, plan.shard.of);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            all.add(thread.join().map_err(|_| SwarmError::Panicked)??);
            Ok(())
        })
    })
    .map(|()| all)
}

/// One run. A broken one is kept.
fn run(seed: u64, plan: &Plan, clock: &SystemClock, tally: &mut Tally) -> Result<Option<Failure>, SwarmError> {
    let began = clock.now_us();
    let text = draw(seed);
    let scenario = Scenario::parse(&format!("swarm-{seed}.toml"), &text).expect("what is drawn is valid");
    let folder = plan.runs.join(format!("swarm-{seed}"));
    let file = folder.join("scenario.toml");
    let shown = file.display().to_string();
    let asked = RunSpec { scenario: &scenario, as_: &shown, tier: Tier::Sim, seed };
    let failed = |error: RunError| SwarmError::Run { seed, source: Box::new(error) };
    let events = sim::simulate(asked).map_err(|error| failed(error.into()))?;
    tally.runs += 1;
    tally.requests += events.iter().filter(|event| matches!(event.event, Event::ExchangeEnded(_))).count() as u64;
    tally.simulated_s += events.last().map_or(0.0, |last| last.at_us as f64 / 1e6);
    let history = History::new(events);
    let checks = judge::judge(scenario.musts(), &history);
    for check in &checks {
        tally.judged(&check.id, check.verdict);
    }
    tally.busy_s += (clock.now_us() - began) as f64 / 1e6;
    let broken = broken(&checks, &history.events);
    if broken.is_empty() {
        return Ok(None);
    }
    tally.broken_runs += 1;
    keep(&asked, &folder, &file, &history)?;
    Ok(Some(Failure { seed, rules: broken, run_dir: folder.display().to_string() }))
}

fn keep(asked: &RunSpec<'_>, folder: &Path, file: &Path, history: &History) -> Result<(), SwarmError> {
    // An earlier run of this seed is the same run.
    let kept = if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) };
    let failed = |source| SwarmError::Keep { path: file.to_owned(), source };
    kept.map_err(failed)?;
    let run_dir = RunDir::make(Some(folder), folder, "swarm", 0)?;
    run_dir.describe(&Here::default().manifest(*asked), asked.scenario)?;
    crate::run::write_events(&run_dir.events(), &history.events).map_err(failed)?;
    run_dir.write_report(&asked.report(run_dir.path(), history))?;
    Ok(())
}

/// The name of a run with a panic of the dispatcher, which no rule names.
const UNREADABLE: &str = "unreadable";

/// The rules that broke; what could not be judged is none of them, unless the reason is that something went badly wrong.
fn broken(checks: &[Check], events: &[Recorded]) -> Vec<String> {
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.id.clone());
    let unreadable = events.iter().any(|event| matches!(event.event, Event::Unreadable { .. }));
    failed.chain(unreadable.then(|| UNREADABLE.to_owned())).collect()
}

/// The exit code of a swarm.
#[must_use]
pub fn exit(tally: &Tally) -> Exit {
    match tally {
        Tally { broken_runs: 1.., .. } => Exit::RuleBroken,
        Tally { runs: 0, .. } => Exit::NothingRan,
        _ if !tally.missing().is_empty() && tally.of_shards.len() > 1 => Exit::Unknown,
        _ => Exit::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_counted_from_0() {
        assert_eq!("0/8".parse(), Ok(Shard { index: 0, of: 8 }));
        for none in ["8/8", "1", "a/b", "1/0", "-1/2"] {
            assert!(none.parse::<Shard>().is_err(), "{none}");
        }
    }

    #[test]
    fn shards_have_every_run_once() {
        let seed: SwarmSeed = "7".parse().unwrap();
        let of = |index: u64| (0..10).map(move |n| seed.of_run(index + n * 3));
        let mut shards: Vec<_> = (0..3).flat_map(of).collect();
        let mut whole: Vec<_> = (0..30).map(|n| seed.of_run(n)).collect();
        shards.sort_unstable();
        whole.sort_unstable();
        assert_eq!(shards, whole);
    }
}
