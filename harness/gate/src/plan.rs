//! What a profile runs, in which order and beside what.
//!
//! Surprising constraint: what must be run is known from the library and the profile alone, never from a gate's own record of
//! it, so that a scenario which was left out is missed by whoever verifies.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Profile;

/// Starting and stopping a world live, and judging it.
const AROUND_A_LIVE_RUN: Duration = Duration::from_secs(8);
/// Beside others, as most of them are.
const SIMULATED_RUN: Duration = Duration::from_millis(900);
/// With the build that has the bugs in it, after a change.
const SELFTEST: Duration = Duration::from_secs(240);
const SELFTEST_LIVE: Duration = Duration::from_secs(12 * 60);
const CONFORMANCE: Duration = Duration::from_secs(90);
const BUDGETS: Duration = Duration::from_secs(100);
/// And the dispatcher as it ships, ten times beside a busy loop.
const BUDGETS_SELFTEST: Duration = Duration::from_secs(150 + 10 * 150);
/// With a build of its own the first time.
const JOURNEYS: Duration = Duration::from_secs(300);
const SOAK: Duration = Duration::from_secs(60 * 60);
const SWARM: Duration = Duration::from_secs(10 * 60);

/// The swarm, which is simulated again and again until something breaks.
const SWARM_FOR: &str = "10m";
const SOAK_FOR: &str = "60m";

/// The kind of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A past failure, which comes before all else.
    Regression,
    Scenario,
    Selftest,
    Conformance,
    Load,
    Swarm,
}

/// The resources that a job must not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// CPU and no clock: others may run beside it, one a core.
    Cpu,
    /// A world in real time: another such world may run beside it, and nothing that takes all of a core.
    World,
    /// The machine for itself.
    Machine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Harness,
    LoadTests,
}

/// A part of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Such as `live:outage`.
    pub id: String,
    pub kind: Kind,
    pub needs: Needs,
    pub program: Program,
    pub args: Vec<String>,
    pub estimate: Duration,
}

/// The facts of a scenario that a plan needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFacts {
    pub id: String,
    /// How long its traffic goes on.
    pub lasts: Duration,
    /// The first profile that runs it live.
    pub first: Profile,
    pub is_regression: bool,
    pub runs_simulated: bool,
    pub runs_live: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub scenarios: Vec<ScenarioFacts>,
}

/// Everything that the profile asks for, in the order in which it is begun.
#[must_use]
pub fn plan(profile: Profile, facts: &Facts) -> Vec<Job> {
    let mut jobs: Vec<Job> = facts.scenarios.iter().flat_map(|scenario| of_scenario(profile, scenario)).collect();
    jobs.push(job("selftest:sim", Kind::Selftest, Needs::Cpu, SELFTEST, &["selftest", "--format", "json"]));
    let conformance = ["conformance", "--check", "--format", "json"];
    jobs.push(job("conformance", Kind::Conformance, Needs::World, CONFORMANCE, &conformance));
    jobs.push(load("load:budgets", BUDGETS, &["budgets"]));
    if profile >= Profile::Nightly {
        jobs.push(load("load:journeys", JOURNEYS, &["journeys"]));
        let live = ["selftest", "--tier", "live", "--format", "json"];
        jobs.push(job("selftest:live", Kind::Selftest, Needs::Machine, SELFTEST_LIVE, &live));
        jobs.push(load("load:selftest", BUDGETS_SELFTEST, &["selftest", "--busy", "10"]));
        let swarm = ["swarm", "--for", SWARM_FOR, "--format", "json"];
        jobs.push(job("swarm", Kind::Swarm, Needs::Machine, SWARM, &swarm));
        jobs.push(load("load:soak", SOAK, &["soak", "--for", SOAK_FOR]));
    }
    // What is quick to break comes first.
    jobs.sort_by_key(|job| (job.needs, job.kind));
    jobs
}

/// Simulated wherever that is possible, at any profile: all of them take a minute. Live where the profile says so.
fn of_scenario(profile: Profile, scenario: &ScenarioFacts) -> Vec<Job> {
    let kind = if scenario.is_regression { Kind::Regression } else { Kind::Scenario };
    let id = scenario.id.as_str();
    let simulated = scenario.runs_simulated.then(|| {
        let args = ["scenario", id, "--tier", "sim", "--format", "json"];
        job(&format!("sim:{id}"), kind, Needs::Cpu, SIMULATED_RUN, &args)
    });
    let live = (scenario.runs_live && (scenario.is_regression || scenario.first <= profile)).then(|| {
        let args = ["scenario", id, "--tier", "live", "--format", "json"];
        job(&format!("live:{id}"), kind, Needs::World, scenario.lasts + AROUND_A_LIVE_RUN, &args)
    });
    simulated.into_iter().chain(live).collect()
}

fn job(id: &str, kind: Kind, needs: Needs, estimate: Duration, args: &[&str]) -> Job {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Job { id: id.to_owned(), kind, needs, program: Program::Harness, args, estimate }
}

fn load(id: &str, estimate: Duration, args: &[&str]) -> Job {
    Job { program: Program::LoadTests, ..job(id, Kind::Load, Needs::Machine, estimate, args) }
}

/// The jobs in stages, which never overlap: what shares a stage may run side by side.
#[must_use]
pub fn stages(jobs: &[Job]) -> Vec<(Needs, Vec<&Job>)> {
    let mut stages: Vec<(Needs, Vec<&Job>)> = Vec::new();
    for job in jobs {
        match stages.last_mut() {
            Some((needs, stage)) if *needs == job.needs => stage.push(job),
            _ => stages.push((job.needs, vec![job])),
        }
    }
    stages
}

/// How many of a stage's jobs run at once.
#[must_use]
pub fn at_once(needs: Needs, cores: usize) -> usize {
    match needs {
        Needs::Cpu => cores.max(1),
        // Seen to hold: with two at once every scenario passes on two cores that passes alone.
        Needs::World => cores.clamp(1, 4),
        Needs::Machine => 1,
    }
}

/// How long it all takes, where each job takes what is estimated.
#[must_use]
pub fn runs_for(jobs: &[Job], cores: usize) -> Duration {
    stages(jobs).iter().map(|(needs, stage)| lasts(stage, at_once(*needs, cores))).sum()
}

/// Each job goes to the slot that is free first.
fn lasts(stage: &[&Job], slots: usize) -> Duration {
    let mut free = vec![Duration::ZERO; slots];
    for job in stage {
        let first = free.iter_mut().min().expect("there is a slot");
        *first += job.estimate;
    }
    free.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(id: &str, first: Profile) -> ScenarioFacts {
        ScenarioFacts {
            id: id.to_owned(),
            lasts: Duration::from_secs(30),
            first,
            is_regression: false,
            runs_simulated: true,
            runs_live: true,
        }
    }

    fn ids(profile: Profile, facts: &Facts) -> Vec<String> {
        plan(profile, facts).into_iter().map(|job| job.id).collect()
    }

    #[test]
    fn a_stronger_profile_runs_all_that_a_weaker_one_does() {
        let scenarios = vec![
            scenario("quick", Profile::Pr),
            scenario("slow", Profile::Nightly),
            scenario("slowest", Profile::Release),
        ];
        let facts = Facts { scenarios };
        let [pr, nightly, release] =
            [Profile::Pr, Profile::Nightly, Profile::Release].map(|profile| ids(profile, &facts));
        assert!(pr.iter().all(|id| nightly.contains(id)) && nightly.iter().all(|id| release.contains(id)));
        assert!(pr.contains(&"sim:slowest".to_owned()) && !pr.contains(&"live:slow".to_owned()));
        assert!(nightly.contains(&"live:slow".to_owned()) && !nightly.contains(&"live:slowest".to_owned()));
        assert!(nightly.contains(&"load:soak".to_owned()) && !pr.contains(&"load:soak".to_owned()));
    }

    #[test]
    fn a_past_failure_runs_in_both_tiers_and_first_at_every_profile() {
        let past = ScenarioFacts { is_regression: true, ..scenario("past", Profile::Release) };
        let jobs = plan(Profile::Pr, &Facts { scenarios: vec![scenario("a", Profile::Pr), past] });
        let found: Vec<_> = jobs.iter().filter(|job| job.kind == Kind::Regression).map(|job| &job.id[..]).collect();
        assert_eq!(found, ["sim:past", "live:past"]);
        let firsts: Vec<_> = stages(&jobs).iter().map(|(_, stage)| stage[0].id.clone()).collect();
        assert_eq!(firsts, ["sim:past", "live:past", "load:budgets"]);
    }

    #[test]
    fn every_kind_is_part_of_each_profile() {
        let jobs = plan(Profile::Pr, &Facts { scenarios: vec![scenario("a", Profile::Pr)] });
        for kind in [Kind::Scenario, Kind::Selftest, Kind::Conformance, Kind::Load] {
            assert!(jobs.iter().any(|job| job.kind == kind), "{kind:?}");
        }
    }

    #[test]
    fn what_may_share_the_machine_does() {
        let facts = Facts { scenarios: vec![scenario("a", Profile::Pr), scenario("b", Profile::Pr)] };
        let jobs = plan(Profile::Pr, &facts);
        let (one, two) = (runs_for(&jobs, 1), runs_for(&jobs, 2));
        assert!(two < one && two >= BUDGETS + CONFORMANCE, "{two:?} {one:?}");
    }
}
