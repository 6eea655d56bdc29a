//! One run of a scenario, from a world of either tier to a judged report.

mod dispatcher_config;
mod dispatcher_log;
mod fidelity;
mod kills;
mod ledger_readout;
mod live;
mod live_kills;
mod live_operator;
mod live_world;
mod machine;
mod operator;
mod outbound;
mod plan_limits;
mod run_dir;
mod simulated;
mod tenants;
mod timeline;

pub use live::live;
pub use live_world::{Live, LiveError, LiveOptions, NAMESPACE_TENANTS, Sellers, Tools};
pub use run_dir::{EVENTS, MANIFEST, REPORT, RunDir, RunDirError, SCENARIO};
pub use simulated::{simulated, write_events};

pub(crate) use dispatcher_config::{faults, impoverish, keys, network, node_secret, terms, vars};
pub(crate) use dispatcher_log::{leaked, line_of};
pub(crate) use kills::{cause, moments, reached};
pub(crate) use operator::{body as quarantine_body, carry_out as carry_out_operators};
pub(crate) use plan_limits::plan_limits;
pub(crate) use tenants::{directory_of, facts_of, scripts};
pub(crate) use timeline::mark;

use crate::{
    called::as_called,
    exit::Exit,
    sim::SimError,
    world::{WorldError, deaths::Death},
};
use judge::{self, History};
use reports::{
    event::{EVENT_SCHEMA, Event, RunStarted},
    level::Level,
    report::{REPORT_SCHEMA, Report},
    summary,
};
use scenario::{Library, Node, Plan, Scenario, Tier};
use std::{io, path::Path};
use traffic::HttpError;
use x402_protocol::Network;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RunError {
    #[error("the system under test did not start")]
    DidNotStart(#[source] LiveError),
    #[error("the dispatcher did not start again after it was killed")]
    DidNotComeBack(#[source] WorldError),
    #[error(transparent)]
    Died(Death),
    #[error("the world did not stop cleanly")]
    DidNotStop(#[source] LiveError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the simulation did not start")]
    Simulation(#[from] SimError),
    #[error("the run's history could not be written")]
    Journal(#[source] io::Error),
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    #[error("interrupted")]
    #[diagnostic(help("everything that was started has been stopped"))]
    Interrupted,
}

impl RunError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Simulation(SimError::NotInThisTier(_)) => Exit::NothingRan,
            Self::DidNotStart(_) | Self::DidNotComeBack(_) | Self::Died(_) | Self::Simulation(_) => Exit::DidNotStart,
            Self::Interrupted => Exit::Interrupted,
            Self::Journal(_) => Exit::NotWritten,
            Self::RunDir(error) => error.exit(),
            Self::DidNotStop(_) | Self::Http(_) => Exit::Internal,
        }
    }
}

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub scenario: &'a Scenario,
    /// The name or path under which a person asked for it, for the line that repeats the run.
    pub as_: &'a str,
    pub tier: Tier,
    pub seed: u64,
}

impl Asked<'_> {
    pub(crate) fn started(&self, network: Network, started_at_ms: u64, arrivals: u64) -> Event {
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
            node: world.node().is_some_and(Node::tells_in_the_end),
        })
    }

    /// Judges what happened.
    pub(crate) fn report(&self, run_dir: &Path, history: &History) -> Report {
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

/// Where the scenario stands that was asked for so, as a path within the project where it is in its library.
fn file_of(asked_for: &str) -> String {
    if asked_for.ends_with(".toml") {
        return asked_for.to_owned();
    }
    let library = Library::find();
    let is_regression = library.file(asked_for).is_some_and(|file| file.starts_with(library.regressions()));
    format!("scenarios/{}{asked_for}.toml", if is_regression { "regressions/" } else { "" })
}
