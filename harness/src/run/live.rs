//! A run against the real Worker: real HTTP, real time.

use super::RunError;
use crate::{
    directory,
    live::{Live, LiveOptions, Tools, kills, ledger_readout, machine, operator},
    play::{self, RunDir, RunSpec},
    world::{
        SCRATCH,
        deaths::{Deaths, Watch},
    },
};
use journal::Journal;
use judge::History;
use reports::{event::Event, report::Report, verdict::Verdict};
use scenario::{OperatorAction, Scenario, Tier};
use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use system::{
    clock::{Clock, SystemClock},
    interrupt::{Interruption, interrupted},
    progress::Headway,
};
use tracing::{Instrument, info_span};
use traffic::{self, Caller, HttpError, HttpWire, Payers};

/// How long the dispatcher's last log lines may take to arrive after the last answer did.
const LINES_WITHIN: Duration = Duration::from_secs(5);

/// Records that a world is there for callers that are not the scenario's own, so that its history can be judged.
pub fn began(scenario: &Scenario, seed: u64, journal: &Journal) -> Result<(), RunError> {
    let network = play::network(scenario).map_err(|error| RunError::DidNotStart(error.into()))?;
    let spec = RunSpec { scenario, as_: scenario.id().as_str(), tier: Tier::Live, seed };
    journal.record(spec.started(network, SystemClock::new().unix_ms(), 0));
    Ok(())
}

/// Runs the scenario live and judges it; `say` tells what is being done.
pub async fn live(asked: RunSpec<'_>, tools: &Tools, run_dir: &RunDir, say: &dyn Fn(&str)) -> Result<Report, RunError> {
    let RunSpec { scenario, seed, .. } = asked;
    let clock = Arc::new(SystemClock::new());
    let as_port = Arc::clone(&clock) as Arc<dyn Clock>;
    let (journal, mut writer) = Journal::open(&run_dir.events(), as_port).map_err(RunError::Journal)?;
    say("starting the facilitator doubles and the dispatcher under wrangler dev");
    let options = LiveOptions {
        tools,
        scenario,
        seed,
        run_dir: run_dir.path(),
        port: None,
        facilitator_ports: &[],
        facilitator_urls: &[],
        node_urls: &[],
        own_workers: false,
        sellers: None,
    };
    let mut interruption = Interruption::heed();
    let (mut live, mut deaths) = start_or_interrupted(&options, &journal).await?;
    let worked = async {
        // A dispatcher that answers 500 to everything would be judged as if it had been at work.
        live.takes_its_configuration().await.map_err(RunError::DidNotStart)?;
        drive(asked, &clock, &journal, &mut live, say).await
    };
    let driven = tokio::select! {
        driven = worked => driven,
        () = interruption.asked() => Err(RunError::Interrupted),
        death = deaths.first() => Err(RunError::Died(death)),
        full = writer.failed() => Err(RunError::Journal(full)),
    };
    say("stopping the world");
    let stopped = live.stop().await;
    driven?;
    stopped.map_err(RunError::DidNotStop)?;
    journal.record(Event::RunEnded);
    drop(journal);
    let events = writer.finish().await.map_err(RunError::Journal)?;
    let report = asked.report(run_dir.path(), &History::new(events));
    // A run that did not pass keeps everything, for whoever looks into it.
    if report.verdict == Verdict::Pass {
        run_dir.drop_scratch(&SCRATCH)?;
    }
    Ok(report)
}

/// Starts the world, unless a person calls it off first. Gives where the deaths of its parts are heard as well.
pub async fn start_or_interrupted(options: &LiveOptions<'_>, journal: &Journal) -> Result<(Live, Deaths), RunError> {
    let (watch, deaths) = Watch::new();
    tokio::select! {
        live = Live::start(options, journal, watch).instrument(info_span!("world")) => Ok((live.map_err(RunError::DidNotStart)?, deaths)),
        () = interrupted() => Err(RunError::Interrupted),
    }
}

/// Shows a person how far the run is.
async fn tell_of(scenario: &Scenario, caller: &Caller, clock: &SystemClock) -> Infallible {
    let headway = Headway::of(scenario.end().as_secs());
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now_us = clock.now_us();
        let so_far = format!("{}, {}: {} answers", scenario.id(), caller.phase_at(now_us), caller.answers());
        headway.at(now_us / 1_000_000, &so_far);
    }
}

async fn drive(
    asked: RunSpec<'_>,
    clock: &SystemClock,
    journal: &Journal,
    live: &mut Live,
    say: &dyn Fn(&str),
) -> Result<(), RunError> {
    let RunSpec { scenario, seed, .. } = asked;
    let arrivals = scenario.arrivals(seed);
    let planned = arrivals.len() as u64;
    let wire = Arc::new(HttpWire::new(live.urls.clone())?);
    let caller = Arc::new(Caller::new(wire, live.canaries.clone(), scenario.timeline().clone(), journal.clone()));
    say(&format!("{planned} arrivals over {} s, seed {seed}", scenario.end().as_secs()));
    let network = play::network(scenario).map_err(|error| RunError::DidNotStart(error.into()))?;
    clock.begin_run();
    journal.record(asked.started(network, clock.unix_ms(), planned));
    let (url, token) = (live.urls[0].clone(), live.platform_token.clone());
    let publisher = live.publisher(scenario).map_err(RunError::DidNotStart)?;
    let payers = Arc::new(Payers::from_seed(seed));
    let http = system::http_client::builder().build().map_err(HttpError::from)?;
    let target = kills::Target { world: &mut live.world, http: &http, platform_token: &live.platform_token };
    let kills =
        async { kills::carry_out(scenario, seed, target, journal, say).await.map_err(RunError::DidNotComeBack) };
    let traffic_and_marks = async {
        let driven = async {
            tokio::join!(
                traffic::drive(arrivals, Arc::clone(&caller), payers, scenario.timeline()),
                play::mark(scenario, journal, say),
            )
        };
        tokio::select! {
            driven = driven => Ok(driven),
            never = machine::watch(journal) => match never {},
            never = tell_of(scenario, &caller, clock) => match never {},
        }
    };
    let changes = async {
        let changed = directory::carry_out(scenario, publisher, journal).await;
        changed.map_err(|error| RunError::DidNotStart(error.into()))
    };
    let ask = async |action: &OperatorAction| operator::ask(&http, &url, &token, action, clock.unix_ms()).await;
    let operators = async {
        play::carry_out_operators(scenario, journal, ask).await;
        Ok(())
    };
    // Ends at once if the dispatcher stays down: the clients would only wait out their patience.
    let ((), (payments, ()), (), ()) = tokio::try_join!(changes, traffic_and_marks, kills, operators)?;
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
