//! The simulated platform: which adapter each port has.

use super::{
    chance::Chance,
    clock::VirtualClock,
    ports::{
        desk::SimDesk, event_queue::SimQueue, health_object::SimHealth, log::SimLog, namespace::SimNamespace,
        quarantine_object::SimQuarantines, rate_limiter::SimLimiter, secrets::SimSecrets, settlement_ledger::SimLedger,
        snapshot_store::SimSnapshots,
    },
    process::Life,
};
use dispatcher_core::{
    directory::stored::Stored,
    platform::{Hosting, Platform},
    ports::Later,
};
use std::future::Future;

pub struct Simulation;

impl Platform for Simulation {
    type Namespace = SimNamespace;
    type Ledger = SimLedger;
    type Clock = VirtualClock;
    type Randomness = Chance;
    type Log = SimLog;
    type Tenants = Stored<SimSnapshots, VirtualClock, SimLog>;
}

impl Hosting for Simulation {
    type Limiter = SimLimiter;
    type Quarantines = SimQuarantines;
    type Health = SimHealth;
    type Secrets = SimSecrets;
    type Events = SimQueue;
    type Desk = SimDesk;
    type Later = Life;
}

impl Later for Life {
    fn run(&self, work: impl Future<Output = ()> + 'static) {
        self.spawn(work);
    }
}
