//! One run of a scenario, from a running world to a judged report.

mod dispatcher_log;
mod fidelity;
mod kills;
mod ledger_readout;
mod live;
mod plan_limits;
mod run_dir;
mod tenants;
mod timeline;

pub use live::{Live, LiveError, LiveOptions, Tools};
pub use run_dir::{RunDir, RunDirError};

use crate::{
    clock::{Clock, SystemClock},
    exit::Exit,
    journal::Journal,
    judge::{self, History},
    scenario::Scenario,
    traffic::{self, Caller, HttpError, Payers},
    world::WorldError,
};
use reports::{
    event::{EVENT_SCHEMA, Event, RunStarted},
    level::Level,
    report::{REPORT_SCHEMA, Report},
    summary,
    verdict::Verdict,
};
use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How long the dispatcher's last log lines may take to arrive after the last answer did.
const LINES_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RunError {
    #[error("the system under test did not start")]
    DidNotStart(#[source] LiveError),
    #[error("the dispatcher did not start again after it was killed")]
    DidNotComeBack(#[source] WorldError),
    #[error("the world did not stop cleanly")]
    DidNotStop(#[source] LiveError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the run's history could not be written")]
    Journal(#[source] io::Error),
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    #[error("interrupted")]
    #[diagnostic(help("everything that was started has been stopped; what was seen so far is in the run directory"))]
    Interrupted,
}

impl RunError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::DidNotStart(_) | Self::DidNotComeBack(_) => Exit::DidNotStart,
            Self::Interrupted => Exit::Interrupted,
            _ => Exit::Internal,
        }
    }
}

/// Runs the scenario live and judges it. `asked_for` is the name or path under which a person asked for it, for the line
/// that repeats the run; `say` tells what is being done.
pub async fn live(
    scenario: &Scenario,
    asked_for: &str,
    seed: u64,
    tools: &Tools,
    run_dir: &RunDir,
    say: &dyn Fn(&str),
) -> Result<Report, RunError> {
    let clock = Arc::new(SystemClock::new());
    let as_port = Arc::clone(&clock) as Arc<dyn Clock>;
    let (journal, writer) = Journal::open(&run_dir.events(), as_port).map_err(RunError::Journal)?;
    say("starting the facilitator doubles and the dispatcher under wrangler dev");
    let options = LiveOptions { tools, scenario, seed, run_dir: run_dir.path(), port: None, facilitator_urls: &[] };
    let mut live = Live::start_or_interrupted(&options, &journal).await?;
    let driven = tokio::select! {
        driven = drive(scenario, seed, &clock, &journal, &mut live, say) => driven,
        () = interrupted() => Err(RunError::Interrupted),
    };
    say("stopping the world");
    let stopped = live.stop().await;
    driven?;
    stopped.map_err(RunError::DidNotStop)?;
    journal.record(Event::RunEnded);
    drop(journal);
    let events = writer.finish().await.map_err(RunError::Journal)?;
    let report = report(scenario, asked_for, seed, run_dir, History::new(events));
    run_dir.write_report(&report)?;
    // A run that did not pass keeps everything, for whoever looks into it.
    if report.verdict == Verdict::Pass {
        run_dir.drop_scratch()?;
    }
    Ok(report)
}

async fn drive(
    scenario: &Scenario,
    seed: u64,
    clock: &SystemClock,
    journal: &Journal,
    live: &mut Live,
    say: &dyn Fn(&str),
) -> Result<(), RunError> {
    let arrivals = traffic::schedule(scenario, seed);
    let planned = arrivals.len() as u64;
    let caller =
        Arc::new(Caller::new(live.urls.clone(), live.canaries.clone(), scenario.timeline().clone(), journal.clone())?);
    say(&format!("{planned} arrivals over {} s, seed {seed}", scenario.end().as_secs()));
    let network = live::network(scenario).map_err(|error| RunError::DidNotStart(error.into()))?;
    clock.begin_run();
    journal.record(Event::RunStarted(RunStarted {
        schema: EVENT_SCHEMA,
        scenario: scenario.id().as_str().to_owned(),
        tier: "live".to_owned(),
        seed,
        started_at_ms: clock.unix_ms(),
        tenants: tenants::facts(scenario.world(), network),
        arrivals: planned,
    }));
    let payers = Arc::new(Payers::from_seed(seed));
    let http = reqwest::Client::builder().no_proxy().build().map_err(HttpError::from)?;
    let target = kills::Target { world: &mut live.world, http: &http, platform_token: &live.platform_token };
    let kills =
        async { kills::carry_out(scenario, seed, target, journal, say).await.map_err(RunError::DidNotComeBack) };
    let traffic_and_marks = async {
        Ok(tokio::join!(
            traffic::drive(arrivals, Arc::clone(&caller), payers, scenario.timeline()),
            timeline::mark(scenario, journal, say),
        ))
    };
    // Ends at once if the dispatcher stays down: the clients would only wait out their patience.
    let ((payments, ()), ()) = tokio::try_join!(traffic_and_marks, kills)?;
    say("asking the settlement ledger about every payment");
    for event in ledger_readout::read(&http, &live.urls[0], &live.platform_token, &payments).await {
        journal.record(event);
    }
    let wanted = caller.answers();
    let lines = async {
        while live.request_lines.load(Ordering::Relaxed) < wanted {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // Lines that never come are for the judges to miss.
    let _ = tokio::time::timeout(LINES_WITHIN, lines).await;
    Ok(())
}

fn report(scenario: &Scenario, asked_for: &str, seed: u64, run_dir: &RunDir, history: History) -> Report {
    let checks = judge::judge(scenario.musts(), &history);
    let phases = summary::phases(&history.events);
    let mut report = Report {
        schema: REPORT_SCHEMA,
        scenario: scenario.id().as_str().to_owned(),
        title: scenario.title().to_owned(),
        tier: "live".to_owned(),
        seed,
        verdict: Report::verdict_of(&checks, Level::Must, &phases),
        gate: Level::Must,
        checks,
        phases,
        faults: summary::faults(&history.events),
        fidelity: fidelity::live(scenario),
        run_dir: run_dir.path().display().to_string(),
        replay: format!("cargo run -p harness -- scenario {asked_for} --seed {seed}"),
        exit_code: 0,
    };
    report.exit_code = Exit::of_report(&report).code();
    report
}

/// Ctrl-C or a polite kill.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without a handler the default one ends the process, and the guard then ends its children.
        Err(_) => std::future::pending().await,
    }
}
