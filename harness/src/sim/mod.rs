//! The simulated tier: the dispatcher's core on simulated ports, in virtual time, on one thread, from one seed.
//!
//! A run is a pure function of scenario and seed, to the byte. What would break that is a second thread, a real clock, hash
//! order, and channels that wake their waiters by chance (tokio's `watch` with several receivers does); none is used here.

mod alarms;
mod armed_kills;
mod chance;
mod clock;
pub mod determinism;
mod disturbed;
mod edge;
mod internet;
mod kept_events;
mod kills;
mod objects;
mod operator;
mod platform;
mod ports;
mod process;
mod shards;
mod stored;
mod tenant;
mod wire;

use crate::{
    directory::{self, KvStore, PublishError, Publisher},
    play::{self, RunSpec},
};
use alarms::Alarms;
use armed_kills::Armed;
use chance::Chance;
use clock::VirtualClock;
use dispatcher_core::{
    Config,
    config::{ConfigError, Vars},
};
use disturbed::Disturbed;
use doubles::{Chain, NodeDouble, PipedDouble};
use edge::Edge;
use journal::Journal;
use kept_events::KeptEvents;
use ports::facilitator_transport::{node_urls, url_of};
use reports::event::{Event, Recorded};
use scenario::{Name, Tier};
use std::{cell::Cell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};
use system::clock::Clock;
use tenant::Tenants;
use tokio::task::LocalSet;
use traffic::{self, Caller, Payers};
use wire::SimWire;
use x402_protocol::network::UnknownNetwork;

/// A run that is longer tells what it left in storage: in a shorter one nothing is forgotten.
const TELLS_OF_STORAGE: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("the simulation's runtime could not be started")]
    Runtime(#[source] std::io::Error),
    #[error("{0} is not in this tier: its facilitators are the official library's, which only the live tier runs")]
    NotInThisTier(Name),
    #[error(transparent)]
    Network(#[from] UnknownNetwork),
    #[error("the dispatcher refuses its configuration")]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Runs the scenario to its end. Blocks the thread, on which no other runtime may be running.
pub fn simulate(asked: RunSpec<'_>) -> Result<Vec<Recorded>, SimError> {
    if !Tier::Sim.runs(asked.scenario) {
        return Err(SimError::NotInThisTier(asked.scenario.id().clone()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(SimError::Runtime)?;
    let tasks = LocalSet::new();
    runtime.block_on(tasks.run_until(history(asked)))
}

async fn history(asked: RunSpec<'_>) -> Result<Vec<Recorded>, SimError> {
    let RunSpec { scenario, seed, .. } = asked;
    let clock = VirtualClock::start(scenario.world().set_back());
    let (journal, mut recorded) = Journal::channel(Arc::new(clock) as Arc<dyn Clock>);
    let chance = Chance::from_seed(seed);
    let network = play::network(scenario)?;
    let mut keys = play::keys(scenario, || chance.token());
    let nodes = scenario.world().nodes();
    keys.extend((!nodes.is_empty()).then(|| play::node_secret(&node_urls(nodes.len()))));
    let chain = Arc::new(Chain::new(journal.clone()));
    let payers = Arc::new(Payers::known_to(Arc::clone(chain.signers()), seed));
    play::fund(&chain, network, &payers);
    let names: Vec<_> = scenario.world().facilitators().iter().map(Name::as_str).collect();
    let double = |name: &&str| {
        let (terms, faults) = (play::terms(scenario, name, &keys, seed), play::faults(scenario, name, seed));
        ((*name).to_owned(), PipedDouble::new(name, terms, &chain, faults, journal.clone()))
    };
    let doubles: BTreeMap<_, _> = names.iter().map(double).collect();
    for double in doubles.values() {
        tokio::task::spawn_local(Arc::clone(double).keep_the_door());
    }
    let scripts = directory::scripts(scenario);
    let canaries: BTreeMap<_, _> = scripts.keys().map(|script| (script.clone(), chance.token())).collect();
    let by_canary: BTreeMap<_, _> =
        canaries.iter().map(|(script, canary)| (canary.clone(), scripts[script].clone())).collect();
    let urls: Vec<_> = names.iter().map(|name| ((*name).to_owned(), url_of(name))).collect();
    let mut vars = play::vars(scenario, network, &urls);
    let vars = Vars {
        environment: vars.remove("ENVIRONMENT"),
        tenant_directory: vars.remove("TENANT_DIRECTORY"),
        facilitators: vars.remove("FACILITATORS"),
        cpu_limit_policy: vars.remove("CPU_LIMIT_POLICY"),
        chain_rpc_urls: vars.remove("CHAIN_RPC_URLS"),
        accept_unresolved: vars.remove("ACCEPT_UNRESOLVED"),
        ledger_shards: vars.remove("LEDGER_SHARDS"),
        dashboard_host: vars.remove("DASHBOARD_HOST"),
    };
    let stored = scenario.world().stores_directory().then(KvStore::default);
    let publish = |store: &KvStore| {
        let facilitators = names.iter().map(|name| (*name).to_owned());
        Publisher::open(scenario, network, facilitators, store.clone())
    };
    let publisher = stored.as_ref().map(publish).transpose()?;
    let config = Rc::new(Config::from_vars(&vars, &keys)?);
    let edge = Rc::new(Edge {
        directory: stored,
        layout: Cell::new(config.ledger),
        config,
        dispatchers: scenario.world().dispatchers(),
        clock,
        chance,
        journal: journal.clone(),
        armed: Rc::new(Armed::new(scenario.kills())),
        canaries: Rc::new(by_canary.clone()),
        nodes: nodes.iter().map(|node| NodeDouble::new(*node, network, &chain, journal.clone())).collect(),
        doubles: Rc::new(doubles),
        tenants: Rc::new(Tenants::new(canaries)),
        disturbed: Rc::new(Disturbed::new(scenario.ledger_disturbances(), seed, journal.clone())),
        kept: KeptEvents::open(scenario.misdeliveries(), seed, clock, journal.clone()).await,
        written: Rc::default(),
        stored: Default::default(),
        alarms: Alarms::default(),
        health: Rc::default(),
        location: Rc::default(),
        quarantines: Rc::default(),
        process: Default::default(),
    });
    edge.start();

    let (wire, incoming) = SimWire::new(edge.dispatchers);
    tokio::task::spawn_local(wire::listen(Rc::clone(&edge), incoming));
    let arrivals = scenario.arrivals(seed);
    journal.record(asked.started(network, clock.unix_ms(), arrivals.len() as u64));
    let caller = Arc::new(Caller::new(Arc::new(wire), by_canary, scenario.timeline().clone(), journal.clone()));
    let (changed, payments, (), (), ()) = tokio::join!(
        directory::carry_out(scenario, publisher, &journal),
        traffic::drive(arrivals, caller, payers, scenario.timeline()),
        play::mark(scenario, &journal, &|_| {}),
        kills::carry_out(scenario, seed, &edge),
        play::carry_out_operators(scenario, &journal, async |action| edge.operate(action).await),
    );
    changed?;
    for payment in payments {
        let state = edge.ledger_state(&payment).await;
        journal.record(state.map_or_else(|unreadable| unreadable, Event::LedgerState));
    }
    edge.read_books().await;
    if scenario.end() > TELLS_OF_STORAGE {
        edge.tell_of_storage().await;
    }
    edge.kill();
    for double in edge.doubles.values() {
        double.stop().await;
    }
    journal.record(Event::RunEnded);
    let mut history = Vec::new();
    while let Ok(event) = recorded.try_recv() {
        history.push(event);
    }
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;
    use judge::{self, History};
    use reports::verdict::Verdict;
    use scenario::Scenario;

    fn run(text: &str, seed: u64) -> (Scenario, Vec<Recorded>) {
        let scenario = Scenario::parse("test.toml", text).map_err(miette::Report::new).expect("a valid scenario");
        let history = simulate(RunSpec { scenario: &scenario, as_: "test", tier: Tier::Sim, seed }).expect("it runs");
        (scenario, history)
    }

    fn lines(history: &[Recorded]) -> Vec<String> {
        history.iter().map(|event| serde_json::to_string(event).expect("events are plain")).collect()
    }

    #[test]
    fn a_world_of_official_facilitators_is_not_in_this_tier() {
        let text = include_str!("../../../scenarios/official-facilitator.toml");
        let scenario = Scenario::parse("test.toml", text).map_err(miette::Report::new).expect("a valid scenario");
        let asked = RunSpec { scenario: &scenario, as_: "test", tier: Tier::Sim, seed: 1 };
        assert!(
            matches!(simulate(asked), Err(SimError::NotInThisTier(name)) if name.as_str() == "official-facilitator")
        );
    }

    const CRASHES: &str = include_str!("../../../scenarios/crash-under-load.toml");

    #[test]
    fn a_seed_gives_the_same_history_to_the_byte_crashes_included_and_another_seed_another() {
        let (_, first) = run(CRASHES, 7);
        assert!(first.iter().any(|event| matches!(event.event, Event::DispatcherKilled(_))));
        assert_eq!(lines(&first), lines(&run(CRASHES, 7).1));
        assert_ne!(lines(&first), lines(&run(CRASHES, 8).1));
    }

    #[test]
    fn a_crash_at_a_stage_comes_between_that_write_and_the_next() {
        let text = include_str!("../../../scenarios/crash-after-money-moved.toml");
        let (scenario, history) = run(text, 1);
        for (at, pair) in history.windows(2).enumerate() {
            if let (Event::DispatcherKilled(killing), Event::DispatcherPayment(line)) = (&pair[1].event, &pair[0].event)
            {
                assert_eq!(killing.payment.as_deref(), Some(line.payment.as_str()), "event {at}");
            }
        }
        let kills = |event: &&Recorded| matches!(event.event, Event::DispatcherKilled(_));
        assert_eq!(history.iter().filter(kills).count(), scenario.kills().len());
        let checks = judge::judge(scenario.musts(), &History::new(history));
        assert!(checks.iter().all(|check| check.verdict == Verdict::Pass), "{checks:?}");
    }
}
