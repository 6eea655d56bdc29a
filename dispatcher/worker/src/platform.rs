//! The Workers platform: which adapter each port has, and the adapters of one request.

use crate::{
    cached_config,
    ports::{
        clock::WallClock, desk::TelemetryDesk, event_queue::TelemetryQueue, health_object::DurableHealth,
        later::WaitUntil, log::ConsoleLog, namespace::DispatchNamespace, quarantine_object::DurableQuarantines,
        randomness::WebCrypto, rate_limiter::LimitBindings, secrets::WorkerSecrets, settlement_ledger::DurableLedger,
        snapshot_store::KvSnapshots,
    },
};
use dispatcher_core::{
    Config,
    directory::stored::Stored,
    platform::{Hosting, Platform, Ports, Surroundings},
    serving::Server,
};
use std::rc::Rc;
use worker::Env;

pub struct Workers;

impl Platform for Workers {
    type Namespace = DispatchNamespace;
    type Ledger = DurableLedger;
    type Clock = WallClock;
    type Randomness = WebCrypto;
    type Log = ConsoleLog;
    type Tenants = Stored<KvSnapshots, WallClock, ConsoleLog>;
}

impl Hosting for Workers {
    type Limiter = LimitBindings;
    type Quarantines = DurableQuarantines;
    type Health = DurableHealth;
    type Secrets = WorkerSecrets;
    type Events = TelemetryQueue;
    type Desk = TelemetryDesk;
    type Later = WaitUntil;
}

/// The server of one request.
pub fn server(env: &Env, config: &Config, later: WaitUntil) -> Rc<Server<Workers>> {
    let ports = Ports {
        namespace: DispatchNamespace::new(env),
        ledger: DurableLedger::new(env, config.ledger),
        clock: WallClock,
        randomness: WebCrypto,
        log: ConsoleLog,
        tenants: cached_config::tenants(env, config),
    };
    let surroundings = Surroundings {
        limiter: LimitBindings::new(env),
        quarantines: DurableQuarantines::new(env),
        health: DurableHealth::new(env),
        secrets: WorkerSecrets(env.clone()),
        events: TelemetryQueue::new(env, config),
        desk: TelemetryDesk::new(env),
        later,
    };
    Server::new(ports, surroundings, cached_config::memory(config))
}
