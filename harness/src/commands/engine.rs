//! A tier that is ready to run scenarios: set up once, whatever it runs.

use super::{
    CommandError, chain,
    preparation::{make_run_dir, provide, provide_for, runtime},
};
use crate::{
    acceptance::Bar,
    live::Tools,
    play::RunSpec,
    recording::{Here, Recording},
    run, setup,
};
use reports::report::Report;
use scenario::{Scenario, Tier, limits::MAX_SEED};
use std::path::Path;
use system::{
    diagnosis,
    folders::{self, workspace_root},
    output::errln,
};
use tracing::{Instrument, error, info, info_span};

/// A tier that is ready to run scenarios, and what it runs them with.
pub struct Engine {
    prepared: Prepared,
    here: Here,
}

enum Prepared {
    Live { runtime: tokio::runtime::Runtime, tools: Box<Tools> },
    Sim,
}

impl Engine {
    pub fn set_up(tier: Tier) -> Result<Self, CommandError> {
        match tier {
            Tier::Live => {
                let runtime = runtime()?;
                let (tools, bundle) = runtime.block_on(provide())?;
                let found = setup::diagnose(&workspace_root())?;
                let found = found.into_iter().filter_map(|tool| Some((tool.name.to_owned(), tool.found?))).collect();
                let here = Here::live(&[&bundle.index_js, &bundle.wasm], found);
                let here = here.map_err(|source| CommandError::Document { path: bundle.dir, source })?;
                Ok(Self { prepared: Prepared::Live { runtime, tools: Box::new(tools) }, here })
            }
            Tier::Sim => Ok(Self { prepared: Prepared::Sim, here: Here::default() }),
        }
    }

    /// The live tier, with a bundle that is built already.
    pub fn of_bundle(folder: &Path) -> Result<Self, CommandError> {
        let unusable = |source| CommandError::Document { path: folder.to_owned(), source };
        let bundle = setup::bundle_of(&folder.canonicalize().map_err(unusable)?.join("index.js"))?;
        // No other is built for it.
        folders::take_bundle_from(&bundle.dir);
        let runtime = runtime()?;
        let (tools, _) = runtime.block_on(provide())?;
        let tools = Box::new(Tools { bundle_index_js: bundle.index_js.clone(), ..tools });
        let here = Here::live(&[&bundle.index_js, &bundle.wasm], Default::default()).map_err(unusable)?;
        Ok(Self { prepared: Prepared::Live { runtime, tools }, here })
    }

    fn tier(&self) -> Tier {
        match self.prepared {
            Prepared::Live { .. } => Tier::Live,
            Prepared::Sim => Tier::Sim,
        }
    }

    /// Runs, judges, and leaves all of it in the run's folder. Without a name to repeat it under it is repeated from there.
    pub fn run(
        &self,
        scenario: &Scenario,
        as_: Option<&str>,
        seed: Option<u64>,
        run_dir: Option<&Path>,
        bar: &Bar,
    ) -> Result<Report, CommandError> {
        if !scenario.runs_in(self.tier()) {
            return Err(CommandError::OtherTier { scenario: scenario.id().to_string() });
        }
        let seed = seed.or(scenario.seed()).unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
        let run_dir = make_run_dir(run_dir, scenario.id().as_str())?;
        let kept = run_dir.scenario().display().to_string();
        let asked = RunSpec { scenario, as_: as_.unwrap_or(&kept), tier: self.tier(), seed };
        run_dir.describe(&self.here.manifest(asked), scenario)?;
        let say = |what: &str| errln!("{what}");
        let id = run_dir.path().file_name().unwrap_or_default().to_string_lossy();
        let span = info_span!("run", id = &*id, scenario = scenario.id().as_str(), tier = self.tier().as_str(), seed);
        let ran = match &self.prepared {
            Prepared::Live { runtime, tools } => {
                let tools = runtime.block_on(provide_for(scenario, tools))?;
                let log = run_dir.path().join(diagnosis::LOG);
                let _kept = diagnosis::keep_in(run_dir.path())
                    .map_err(|source| CommandError::Document { path: log, source })?;
                let ran = runtime.block_on(run::live(asked, &tools, &run_dir, &say).instrument(span.clone()));
                ran.inspect_err(|failed| span.in_scope(|| error!(why = chain(failed), "it came to nothing")))
            }
            Prepared::Sim => span.in_scope(|| run::simulated(asked, &run_dir)),
        };
        let report = ran.inspect_err(|_| say(&format!("what there was of it is in {}", run_dir.path().display())))?;
        span.in_scope(|| info!(verdict = report.verdict.as_str(), requests = report.requests(), "judged"));
        let report = bar.hold(report);
        run_dir.write_report(&report)?;
        Ok(report)
    }

    /// In which ways a run of it here would not be the one that was recorded.
    pub fn differences(&self, recording: &Recording) -> Vec<String> {
        let Some(then) = &recording.manifest else {
            return vec!["the run does not say what it was made with".to_owned()];
        };
        let (scenario, tier, seed) = (&recording.scenario, recording.tier, recording.seed);
        let asked = RunSpec { scenario, as_: &then.asked_for, tier, seed };
        then.differences(&self.here.manifest(asked))
    }
}
