//! A whole dispatcher in memory: two facilitators on one chain, some tenants, a ledger that can crash between any two
//! writes. Nothing waits: every future is ready when it is polled.

mod answer;
mod configuration;
mod facilitators;
mod node;
mod payment;
mod ports;
mod sights;
mod storage;
mod tenant;

pub use answer::Got;
pub use facilitators::{Facilitator, Said};
pub use node::Node;
pub use payment::Payment;
pub use tenant::Tenant;

use configuration::{FACILITATORS, config, directory};
use dispatcher_core::{
    Dispatcher, paywall::ports::Clock, platform::IsolateMemory, protocol::signature::Signer, quarantine::Warden,
};
use node::CHAIN_RPC;
use payment::{OWN_WALLET, wallet};
use ports::{InMemory, Ports, State};
use serde_json::Value;
use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use storage::Health;

/// The host of tenants that are reached by slug.
const SHARED_HOST: &str = "edge.example";

const ONE_TRANSACTION: &str = "0xabababababababababababababababababababababababababababababababab";
const START_S: u64 = 1_800_000_000;
/// Value of the secret `KEY`.
pub const SECRET: &str = "hunter2";

const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

pub struct World {
    ports: Ports,
    dispatcher: Dispatcher<InMemory>,
    signer: Signer,
}

impl World {
    pub fn new() -> Self {
        Self::with(FACILITATORS)
    }

    pub fn without_facilitators() -> Self {
        Self::with("[]")
    }

    /// With a node that unknown settlements are looked up at.
    pub fn with_chain() -> Self {
        let facilitators = r#"[{"id":"primary","url":"https://primary"},{"id":"standby","url":"https://standby"}]"#;
        Self::with_secrets(facilitators, &[("CHAIN_RPC_URL", CHAIN_RPC)])
    }

    pub fn with(facilitators: &str) -> Self {
        Self::with_secrets(facilitators, &[("KEY", SECRET)])
    }

    fn with_secrets(facilitators: &str, secrets: &[(&str, &str)]) -> Self {
        let config = config(&directory(), facilitators, secrets);
        let ports = Ports(Rc::default());
        ports.0.config.replace(Some(Rc::clone(&config)));
        ports.0.health.replace(Some(Health::new(&config, &ports)));
        let warden = Rc::new(Warden::new(config.cpu_policy));
        let memory = IsolateMemory { warden, board: Some(ports.board()), ..IsolateMemory::default() };
        let dispatcher = Dispatcher::new(ports.of(&config), memory);
        Self { ports, dispatcher, signer: wallet(OWN_WALLET) }
    }

    /// The payment's money moves for a purchase at another deployment.
    pub fn spend_elsewhere(&self, payment: &Payment) {
        let nonce = payment.json["payload"]["authorization"]["nonce"].as_str().unwrap().to_owned();
        self.ports.0.chain.borrow_mut().insert(nonce, "elsewhere".to_owned());
    }

    /// Every tenant asks this from now on, in atomic units.
    pub fn reprice(&mut self, amount: &str) {
        self.publish(|tenant| {
            if let Some(price) = tenant.get_mut("price") {
                price["amount"] = amount.into();
            }
        });
    }

    /// From now on the directory has only this tenant.
    pub fn only(&mut self, id: &str) {
        let mut directory = directory();
        directory["tenants"].as_array_mut().unwrap().retain(|tenant| tenant["id"] == id);
        self.follow(&directory);
    }

    /// From now on every tenant's record is like this.
    pub fn publish(&mut self, change: impl FnMut(&mut Value)) {
        let mut directory = directory();
        directory["tenants"].as_array_mut().unwrap().iter_mut().for_each(change);
        self.follow(&directory);
    }

    /// From now on requests find no facilitator configured. The ledger goes on as it was.
    pub fn drop_facilitators(&mut self) {
        self.reconfigure(&directory(), "[]");
    }

    fn follow(&mut self, directory: &Value) {
        self.reconfigure(directory, FACILITATORS);
    }

    fn reconfigure(&mut self, directory: &Value, facilitators: &str) {
        let config = config(directory, facilitators, &[]);
        self.dispatcher = Dispatcher::new(self.ports.of(&config), IsolateMemory::default());
    }

    fn state(&self) -> &State {
        &self.ports.0
    }

    pub fn primary(&self, facilitator: Facilitator) {
        self.state().facilitators.borrow_mut().insert("primary".to_owned(), facilitator);
    }

    pub fn standby(&self, facilitator: Facilitator) {
        self.state().facilitators.borrow_mut().insert("standby".to_owned(), facilitator);
    }

    pub fn node(&self, node: Node) {
        self.state().node.set(node);
    }

    pub fn tenant(&self, tenant: Tenant) {
        self.state().tenant.set(Some(tenant));
    }

    pub fn pass_seconds(&self, seconds: u64) {
        let elapsed = &self.state().elapsed_ms;
        elapsed.set(elapsed.get() + seconds * 1000);
    }

    /// The clock is set back, but not to before the world began.
    pub fn set_back_seconds(&self, seconds: u64) {
        let elapsed = &self.state().elapsed_ms;
        elapsed.set(elapsed.get() - seconds * 1000);
    }

    pub fn crash_after_writes(&self, writes: u32) {
        self.state().writes_left.set(Some(writes));
    }

    /// A new process over the stored records.
    pub fn restart(&self) {
        self.state().writes_left.set(None);
        self.state().keepers.borrow_mut().clear();
    }

    /// Rings every alarm that is due.
    pub fn ring(&self) {
        let now = self.ports.now();
        let mut due = Vec::new();
        for (payment, stored) in self.state().records.borrow_mut().iter_mut() {
            if stored.alarm.take_if(|at| *at <= now).is_some() {
                due.push(payment.clone());
            }
        }
        for payment in due {
            ready(self.ports.keeper(&payment).woke()).unwrap();
        }
    }

    /// Does the Worker's errands beside every answer.
    pub fn exchange(&self) {
        let (board, monitor) = {
            let health = self.state().health.borrow();
            let health = health.as_ref().unwrap();
            (Rc::clone(&health.board), Rc::clone(&health.monitor))
        };
        let Some(news) = board.due(self.ports.now()) else { return };
        let (snapshot, jobs) = ready(monitor.exchange(news)).unwrap();
        board.merge(snapshot, self.ports.now());
        for job in jobs {
            ready(monitor.run(job)).unwrap();
        }
    }

    /// Lets the isolate tell what it saw.
    pub fn tell(&self) {
        self.pass_seconds(1);
        self.exchange();
    }
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a simulated port waited"),
    }
}
