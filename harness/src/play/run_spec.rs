//! What is to be run, in either tier, and how its history is judged.

use super::fidelity;
use crate::{
    called::as_called,
    directory::{facts_of, plan_limits},
    exit::Exit,
};
use judge::History;
use reports::{
    event::{EVENT_SCHEMA, Event, RunStarted},
    level::Level,
    report::{REPORT_SCHEMA, Report},
    summary,
};
use scenario::{Library, Plan, Scenario, Tier};
use std::path::Path;
use x402_protocol::Network;

/// The scenario to run, and how.
#[derive(Clone, Copy, Debug)]
pub struct RunSpec<'a> {
    pub scenario: &'a Scenario,
    /// The name or path under which a person asked for it, for the line that repeats the run.
    pub as_: &'a str,
    pub tier: Tier,
    pub seed: u64,
}

impl RunSpec<'_> {
    pub fn started(&self, network: Network, started_at_ms: u64, arrivals: u64) -> Event {
        let world = self.scenario.world();
        Event::RunStarted(RunStarted {
            schema: EVENT_SCHEMA,
            scenario: self.scenario.id().as_str().to_owned(),
            tier: self.tier.as_str().to_owned(),
            seed: self.seed,
            started_at_ms,
            tenants: facts_of(world.tenants(), world, network),
            quarantine: Some(plan_limits(Plan::Quarantine)),
            arrivals,
            node: world.nodes().iter().any(|node| node.tells_in_the_end()),
        })
    }

    /// Judges what happened.
    pub fn report(&self, run_dir: &Path, history: &History) -> Report {
        let Self { scenario, as_, tier, seed } = self;
        let mut checks = judge::judge(scenario.musts(), history);
        for check in &mut checks {
            check.line = scenario.line_of(&check.id);
        }
        let phases = summary::phases(&history.events);
        let mut report = Report {
            schema: REPORT_SCHEMA,
            scenario: scenario.id().as_str().to_owned(),
            title: scenario.title().to_owned(),
            tier: tier.as_str().to_owned(),
            seed: *seed,
            file: Some(file_of(as_)),
            verdict: Report::verdict_of(&checks, Level::Must, &phases),
            gate: Level::Must,
            checks,
            phases,
            faults: summary::faults(&history.events),
            machine: reports::machine::throughout(&history.events),
            fidelity: fidelity::of(scenario, *tier),
            run_dir: run_dir.display().to_string(),
            replay: format!("{} scenario {as_} --seed {seed}{}", as_called(), tier.as_flag()),
            exit_code: 0,
        };
        report.exit_code = Exit::of_report(&report).code();
        report
    }
}

/// The path of the scenario that was asked for so, as a path within the project where it is in its library.
fn file_of(asked_for: &str) -> String {
    if asked_for.ends_with(".toml") {
        return asked_for.to_owned();
    }
    let library = Library::find();
    let is_regression = library.file(asked_for).is_some_and(|file| file.starts_with(library.regressions()));
    format!("scenarios/{}{asked_for}.toml", if is_regression { "regressions/" } else { "" })
}
