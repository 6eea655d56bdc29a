//! Plants the bugs of the Worker's adapters: one Worker has them all, and a variable says which one bites. Live runs share a
//! machine's clock, so they come one after another.

use super::{Bug, Control, Score, SelftestError, Trial, load};
use crate::{
    live::Tools,
    play::{RunDir, RunSpec},
    run::{self, RunError},
};
use reports::report::Check;
use scenario::{Library, Scenario, Tier};
use system::{
    clock::{Clock, SystemClock},
    folders,
};

/// The seed of scenarios that have none.
const SEED: u64 = 1;

/// `tools` have the Worker with the bugs in it.
pub async fn run(bugs: &[Bug], tools: &Tools, say: &dyn Fn(&str)) -> Result<Score, SelftestError> {
    let clock = SystemClock::start();
    let scenarios = load(bugs, &Library::find())?;
    let (count, mut controls) = (bugs.len(), Vec::new());
    say(&format!("self-test  {count} bugs and {} controls in the live tier ...", scenarios.len()));
    for (name, scenario) in &scenarios {
        let checks = live(None, name, scenario, tools, say).await?;
        controls.push(Control::of(name, &checks));
    }
    let mut trials = Vec::new();
    for bug in bugs {
        let mut runs = Vec::new();
        for name in &bug.scenarios {
            runs.push((name.as_str(), live(Some(bug), name, &scenarios[name], tools, say).await?));
        }
        trials.push(Trial::of(bug, &runs, &controls));
    }
    Ok(Score::of(Tier::Live, controls, trials, clock.now_us() / 1_000))
}

async fn live(
    bug: Option<&Bug>,
    name: &str,
    scenario: &Scenario,
    tools: &Tools,
    say: &dyn Fn(&str),
) -> Result<Vec<Check>, SelftestError> {
    let planted = bug.map_or("control", |bug| &bug.name);
    say(&format!("self-test  {planted}, in {name}"));
    let tools = Tools { planted: bug.map(|bug| bug.name.clone()), ..tools.clone() };
    let seed = scenario.seed().unwrap_or(SEED);
    let folder = format!("selftest-{planted}-{name}");
    let run_dir =
        RunDir::make(None, &folders::runs(), &folder, SystemClock::new().unix_ms()).map_err(RunError::from)?;
    let asked = RunSpec { scenario, as_: name, tier: Tier::Live, seed };
    Ok(run::live(asked, &tools, &run_dir, &|_| {}).await?.checks)
}
