//! The adapters, all in memory, and everything that outlives a request.

use super::{
    START_S,
    facilitators::Facilitator,
    node::Node,
    storage::{Health, Store, Stored},
    tenant::{Run, Tenant},
};
use dispatcher_core::{
    Config,
    directory::Directory,
    paywall::{
        UnixMillis,
        health::Board,
        ledger::{Keeper, identifier::Owner},
        ports::{Clock, HealthLog, LedgerError, PaymentLog},
        telemetry::{Call, FacilitatorAlert, PaymentEvent, StandingChange},
    },
    platform::{self, Platform},
    ports::{Randomness, RequestLog},
    telemetry::{Alert, RequestLine},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

/// Everything that outlives a request.
#[derive(Default)]
pub struct State {
    pub elapsed_ms: Cell<u64>,
    pub requests: Cell<u64>,
    pub facilitators: RefCell<BTreeMap<String, Facilitator>>,
    pub calls: RefCell<Vec<(String, Call)>>,
    /// Payment key to who settled it: the chain.
    pub chain: RefCell<BTreeMap<String, String>>,
    pub node: Cell<Node>,
    pub tenant: Cell<Option<Tenant>>,
    pub runs: RefCell<Vec<Run>>,
    pub lines: RefCell<Vec<RequestLine>>,
    pub alerts: RefCell<Vec<Alert>>,
    pub records: RefCell<BTreeMap<String, Stored>>,
    /// Scoped identifier to the payment that has it.
    pub identifiers: RefCell<BTreeMap<String, Owner>>,
    pub transactions: RefCell<BTreeMap<String, Vec<Owner>>>,
    pub troubles: RefCell<Vec<String>>,
    /// Writes left until the ledger's process dies.
    pub writes_left: Cell<Option<u32>>,
    pub keepers: RefCell<BTreeMap<String, Rc<SimKeeper>>>,
    pub config: RefCell<Option<Rc<Config>>>,
    pub health: RefCell<Option<Health>>,
    pub changes: RefCell<Vec<StandingChange>>,
    pub facilitator_alerts: RefCell<Vec<FacilitatorAlert>>,
}

impl State {
    /// Takes one of the writes that are left.
    pub fn write(&self) -> Result<(), LedgerError> {
        match self.writes_left.get() {
            Some(0) => Err(LedgerError("the process died".to_owned())),
            Some(writes) => {
                self.writes_left.set(Some(writes - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[derive(Clone)]
pub struct Ports(pub Rc<State>);

/// The platform that is all in memory.
pub struct InMemory;

impl Platform for InMemory {
    type Namespace = Ports;
    type Ledger = Ports;
    type Clock = Ports;
    type Randomness = Ports;
    type Log = Ports;
    type Tenants = Rc<Directory>;
}

pub type SimKeeper = Keeper<Store, Ports, Ports, Ports, Ports>;

impl Clock for Ports {
    fn now(&self) -> UnixMillis {
        UnixMillis(START_S * 1000 + self.0.elapsed_ms.get())
    }
    async fn sleep(&self, millis: u64) {
        self.0.elapsed_ms.set(self.0.elapsed_ms.get() + millis);
    }
}

impl Randomness for Ports {
    fn request_id(&self) -> String {
        self.0.requests.set(self.0.requests.get() + 1);
        format!("request-{}", self.0.requests.get())
    }
    fn seed(&self) -> u64 {
        7
    }
}

impl RequestLog for Ports {
    fn record(&self, line: &RequestLine) {
        self.0.lines.borrow_mut().push(line.clone());
    }
    fn alert(&self, alert: &Alert) {
        self.0.alerts.borrow_mut().push(alert.clone());
    }
}

impl HealthLog for Ports {
    fn record(&self, change: &StandingChange) {
        self.0.changes.borrow_mut().push(change.clone());
    }
    fn alert(&self, alert: &FacilitatorAlert) {
        self.0.facilitator_alerts.borrow_mut().push(alert.clone());
    }
}

impl PaymentLog for Ports {
    fn record(&self, _event: &PaymentEvent<'_>) {}
    fn trouble(&self, payment: &str, why: &str) {
        self.0.troubles.borrow_mut().push(format!("{payment}: {why}"));
    }
    fn stuck(&self, payment: &str, error: &LedgerError) {
        self.0.troubles.borrow_mut().push(format!("{payment} is stuck: {error}"));
    }
}

impl Ports {
    /// The adapters of a dispatcher with the tenants that a configuration lists.
    pub fn of(&self, config: &Config) -> platform::Ports<InMemory> {
        let [namespace, ledger, clock, randomness, log] = [(); 5].map(|()| self.clone());
        platform::Ports { namespace, ledger, clock, randomness, log, tenants: Rc::clone(&config.directory) }
    }

    pub fn board(&self) -> Rc<Board> {
        Rc::clone(&self.0.health.borrow().as_ref().unwrap().board)
    }

    pub fn keeper(&self, payment: &str) -> Rc<SimKeeper> {
        let facilitators = self.0.config.borrow().as_ref().unwrap().facilitators.clone();
        let store = Store { ports: self.clone(), payment: payment.to_owned() };
        let board = self.board();
        let ports = || self.clone();
        let chain = self.0.config.borrow().as_ref().unwrap().chain.clone();
        let keeper =
            || Rc::new(Keeper::new(store, ports(), ports(), ports(), ports(), facilitators, board).with_chain(chain));
        self.0.keepers.borrow_mut().entry(payment.to_owned()).or_insert_with(keeper).clone()
    }
}
