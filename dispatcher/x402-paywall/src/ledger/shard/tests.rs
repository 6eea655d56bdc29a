//! A shard over a memory, with a facilitator that settles or says nothing, and time that moves when it is told to.

use super::*;
use crate::{
    facilitator::Facilitators,
    health::{Board, testing},
    ledger::{Claim, Memory, MemoryStore, Reply, State, books::Span, port::RecordStore},
    ports::{FacilitatorAnswer, HttpRequest, TransportError},
    response::ResponseHead,
    telemetry::PaymentEvent,
};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// All that outlives a process.
#[derive(Clone, Default)]
struct World(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<u64>,
    settles: Cell<bool>,
    /// The end of a URL at which the facilitator says nothing.
    hangs_at: Cell<Option<&'static str>>,
    asked_to_settle: Cell<u32>,
    alarms: RefCell<BTreeMap<String, UnixMillis>>,
    memories: RefCell<BTreeMap<String, Memory>>,
    stuck: RefCell<Vec<String>>,
}

struct Store(World, String);

impl Store {
    fn memory(&self) -> Memory {
        self.0.memory(&self.1)
    }
}

impl ShardStore for Store {
    type Row = MemoryStore;

    fn row(&self, payment: &str) -> MemoryStore {
        self.memory().store(payment)
    }
    async fn due(&self, by: UnixMillis, limit: usize) -> Result<Vec<String>, LedgerError> {
        Ok(self.memory().due_by(by, limit))
    }
    async fn least_due(&self) -> Result<Option<UnixMillis>, LedgerError> {
        Ok(self.memory().least_due())
    }
    async fn postpone(&self, payments: &[String], until: UnixMillis) -> Result<(), LedgerError> {
        payments.iter().for_each(|payment| self.memory().postpone(payment, until));
        Ok(())
    }
    async fn set_alarm(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.0.0.alarms.borrow_mut().insert(self.1.clone(), at);
        Ok(())
    }
    async fn settled(&self, span: &Span, limit: usize) -> Result<Vec<Record>, LedgerError> {
        Ok(self.memory().settled(span, limit))
    }
    async fn open(&self, limit: usize) -> Result<Vec<Record>, LedgerError> {
        Ok(self.memory().open(limit))
    }
    async fn raised_to(&self) -> Result<u16, LedgerError> {
        Ok(self.memory().raised_to())
    }
    async fn raise_to(&self, shards: u16) -> Result<(), LedgerError> {
        self.memory().raise_to(shards);
        Ok(())
    }
}

impl Clock for World {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.now.get())
    }
    async fn sleep(&self, _ms: u64) {}
}

impl FacilitatorTransport for World {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let is_settle = !request.url.ends_with("/verify");
        self.0.asked_to_settle.set(self.0.asked_to_settle.get() + u32::from(is_settle));
        if self.0.hangs_at.get().is_some_and(|end| request.url.ends_with(end)) {
            std::future::pending::<()>().await;
        }
        let body = if !is_settle {
            r#"{"isValid":true}"#.to_owned()
        } else {
            if !self.0.settles.get() {
                let pending =
                    br#"{"success":false,"errorReason":"not_final_yet","transaction":"","network":"eip155:84532"}"#;
                return Ok(FacilitatorAnswer { status: 200, body: pending.to_vec() });
            }
            format!(
                r#"{{"success":true,"transaction":"0x{:064x}","network":"eip155:84532"}}"#,
                self.0.asked_to_settle.get()
            )
        };
        Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() })
    }
}

impl PaymentLog for World {
    fn record(&self, _event: &PaymentEvent<'_>) {}
    fn trouble(&self, _payment: &str, _why: &str) {}
    fn stuck(&self, payment: &str, _error: &LedgerError) {
        self.0.stuck.borrow_mut().push(payment.to_owned());
    }
}

/// The other shards, as this one asks them.
struct Others(World, Layout);

impl FormerLedger for Others {
    async fn has(&self, place: &Place, payment: &str, shards: u16) -> Result<bool, LedgerError> {
        let Place::Shard(name) = place else { panic!("these payments never had objects of their own") };
        self.0.shard(name, self.1).has(payment, shards).await
    }
}

type TestShard = Shard<Store, World, World, World, Memory, Others>;

impl World {
    fn new() -> Self {
        let world = Self::default();
        world.0.now.set(1_800_000_000_000);
        world
    }

    fn memory(&self, shard: &str) -> Memory {
        self.0.memories.borrow_mut().entry(shard.to_owned()).or_default().clone()
    }

    /// A shard of a new process.
    fn shard(&self, name: &str, layout: Layout) -> TestShard {
        let facilitators = Facilitators::from_json(r#"[{"id":"primary","url":"https://primary"}]"#, &BTreeMap::new());
        let facilitators = facilitators.unwrap();
        let parts = KeeperParts {
            transport: self.clone(),
            clock: self.clone(),
            log: self.clone(),
            identifiers: self.memory("names"),
            board: Rc::new(Board::new(&facilitators, 7)),
            facilitators,
            chain: None,
        };
        Shard::new(Store(self.clone(), name.to_owned()), parts, Others(self.clone(), layout), layout)
    }

    fn pass_ms(&self, ms: u64) {
        self.0.now.set(self.0.now.get() + ms);
    }

    fn alarm(&self, shard: &str) -> Option<UnixMillis> {
        self.0.alarms.borrow().get(shard).copied()
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
    panic!("nothing here waits for anybody")
}

fn claim(payment: &str) -> Claim {
    Claim { payment: payment.to_owned(), ..testing::claim(&["primary"]) }
}

fn known(payment: &str, shards: u16) -> Routed<'_> {
    Routed { payment, shards, is_sent_on: false }
}

/// Claims a payment, runs its tenant and settles it.
fn sell(shard: &TestShard, payment: &str, shards: u16) -> Result<Reply, LedgerError> {
    let routed = known(payment, shards);
    let Placed::Here(claimed) = ready(shard.claim(routed, claim(payment), "request"))? else { panic!("it is here") };
    assert_eq!(claimed.reply, Reply::Run, "{payment}");
    let Placed::Here(settled) = ready(shard.settle(routed, "request", &content()))? else { panic!("it is here") };
    Ok(settled.reply)
}

fn content() -> PaidResponse {
    PaidResponse { head: ResponseHead { status: 200, headers: Vec::new() }, body: b"content".to_vec() }
}

fn state(shard: &TestShard, payment: &str, shards: u16) -> &'static str {
    match ready(shard.record(known(payment, shards))).unwrap() {
        Placed::Here(record) => record.map_or("vacant", |record| record.state.name()),
        Placed::At(_) => "elsewhere",
    }
}

#[test]
fn many_unknown_payments_are_asked_about_by_one_alarm_a_batch_at_a_time() {
    let (world, layout) = (World::new(), Layout::default());
    let shard = world.shard("0", layout);
    let payments: Vec<_> = (0..150).map(|n| format!("payment-{n}")).collect();
    for payment in &payments {
        assert!(matches!(sell(&shard, payment, 16).unwrap(), Reply::Pending { .. }));
    }
    world.0.settles.set(true);
    world.pass_ms(60_000);
    let mut rings = 0;
    while payments.iter().any(|payment| state(&shard, payment, 16) != "settled") {
        let before = world.0.asked_to_settle.get();
        ready(shard.ring()).unwrap();
        assert!(world.0.asked_to_settle.get() - before <= BATCH as u32, "a ring is bounded");
        rings += 1;
        assert!(rings < 100, "a ring does something");
        world.pass_ms(5_000);
    }
    assert!(world.0.stuck.borrow().is_empty());
}

#[test]
fn ten_thousand_unknown_payments_hold_up_no_new_one() {
    const OPEN: usize = 10_000;
    let (world, layout) = (World::new(), Layout::default());
    let shard = world.shard("0", layout);
    for n in 0..OPEN {
        assert!(matches!(sell(&shard, &format!("open-{n}"), 16).unwrap(), Reply::Pending { .. }));
    }
    world.0.settles.set(true);
    world.pass_ms(60_000);
    let (mut rings, mut left) = (0, OPEN);
    while left > 0 {
        let before = world.0.asked_to_settle.get();
        ready(shard.ring()).unwrap();
        assert!(world.0.asked_to_settle.get() - before <= BATCH as u32, "a ring is bounded");
        // Between any two rings, a sale asks for itself alone.
        let before = world.0.asked_to_settle.get();
        assert!(matches!(sell(&shard, &format!("new-{rings}"), 16).unwrap(), Reply::Settled(_)));
        assert_eq!(world.0.asked_to_settle.get() - before, 1);
        rings += 1;
        world.pass_ms(1_000);
        if rings % 50 == 0 {
            left = (0..OPEN).filter(|n| state(&shard, &format!("open-{n}"), 16) != "settled").count();
        }
        assert!(rings <= 4 * OPEN / BATCH, "{left} are left");
    }
    assert!(rings >= OPEN / BATCH);
    assert!(world.0.stuck.borrow().is_empty());
}

#[test]
fn a_new_process_goes_on_with_what_is_stored_and_sets_the_alarm_that_is_missing() {
    let (world, layout) = (World::new(), Layout::default());
    sell(&world.shard("0", layout), "p", 16).unwrap();
    world.0.alarms.borrow_mut().clear();
    let restarted = world.shard("0", layout);
    assert_eq!(state(&restarted, "p", 16), "unknown");
    assert!(world.alarm("0").is_some_and(|at| at <= world.now().plus(RING_AGAIN_MS)), "whoever calls sets the alarm");
    world.0.settles.set(true);
    world.pass_ms(60_000);
    ready(restarted.ring()).unwrap();
    assert_eq!(state(&restarted, "p", 16), "settled");
}

#[test]
fn a_payment_that_began_before_the_number_was_raised_stays_where_it_is() {
    let world = World::new();
    let (before, raised) =
        (Layout::from_json("1").unwrap(), r#"{"count":4096,"before":1,"changedAtMs":1800000000000}"#);
    let raised = Layout::from_json(raised).unwrap();
    sell(&world.shard("0", before), "p", 1).unwrap();
    let name = raised.shard_of("p");
    assert_ne!(name, "0", "it moves");
    let new = world.shard(&name, raised);
    let claimed = ready(new.claim(known("p", 4_096), claim("p"), "again")).unwrap();
    assert_eq!(claimed, Placed::At(Place::Shard("0".to_owned())));
    let settled = world.0.asked_to_settle.get();
    let sent_on = Routed { payment: "p", shards: 4_096, is_sent_on: true };
    let former = world.shard("0", raised);
    let Placed::Here(told) = ready(former.collect(sent_on, collection("p"), "again")).unwrap() else { panic!("here") };
    assert!(!matches!(told.reply, Reply::Run), "the tenant does not run again");
    assert!(world.0.asked_to_settle.get() <= settled + 1);
}

#[test]
fn once_the_number_is_raised_nobody_begins_at_the_former_place() {
    let world = World::new();
    let (before, raised) =
        (Layout::from_json("1").unwrap(), r#"{"count":4096,"before":1,"changedAtMs":1800000000000}"#);
    let raised = Layout::from_json(raised).unwrap();
    let new = world.shard(&raised.shard_of("p"), raised);
    assert!(matches!(sell(&new, "p", 4_096).unwrap(), Reply::Pending { .. }));
    // An isolate of the version before, which knows of one shard.
    let error = ready(world.shard("0", before).claim(known("p", 1), claim("p"), "old")).unwrap_err();
    assert!(error.to_string().contains("4096 shards"), "{error}");
    let gone = Routed { payment: "q", shards: 4_096, is_sent_on: true };
    assert!(ready(world.shard("0", raised).claim(gone, claim("q"), "late")).is_err(), "what is sent on begins nothing");
}

#[test]
fn payments_that_are_over_leave_memory() {
    let (world, layout) = (World::new(), Layout::default());
    world.0.settles.set(true);
    let shard = world.shard("0", layout);
    for n in 0..2_000 {
        sell(&shard, &format!("payment-{n}"), 16).unwrap();
        world.pass_ms(1_000);
    }
    assert!(shard.living.borrow().len() <= FEW + 1, "{}", shard.living.borrow().len());
}

fn collection(payment: &str) -> Collection {
    claim(payment).to_collect()
}

/// The states in which a reset finds a payment, and whether its tenant may run after it.
const RESETS: [(&str, bool); 7] = [
    ("claimed", true),
    ("naming", true),
    ("verified", true),
    ("settling", false),
    ("unknown", false),
    ("settled", false),
    ("handed over", false),
];

/// Brings a payment into a state, and ends its process there.
fn reset_in(world: &World, stage: &str, layout: Layout) {
    let (shard, routed) = (world.shard("0", layout), known("p", 16));
    let named = || Claim { identifier: Some("order-of-monday-0001".parse().unwrap()), ..claim("p") };
    match stage {
        "claimed" => {
            world.0.hangs_at.set(Some("/verify"));
            let mut call = pin!(shard.claim(routed, named(), "request"));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        "naming" => {
            let state = State::Naming { facilitator: "primary".to_owned() };
            let record =
                Record { claim: named().into(), holder: "request".to_owned(), state, head: None, unsent: None };
            ready(world.memory("0").store("p").save(&record, None)).unwrap();
        }
        _ => {
            ready(shard.claim(routed, named(), "request")).unwrap();
            world.0.settles.set(matches!(stage, "settled" | "handed over"));
            world.0.hangs_at.set(Some("/settle").filter(|_| stage == "settling"));
            if stage != "verified" {
                let response = content();
                let mut call = pin!(shard.settle(routed, "request", &response));
                let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert_eq!(polled.is_pending(), stage == "settling");
            }
            if stage == "handed over" {
                ready(shard.handed_over(routed, "request", true)).unwrap();
            }
        }
    }
    let stored = world.shard("0", layout);
    let stored = state(&stored, "p", 16);
    let expected = match stage {
        // Of a stranger's payment nothing is stored before somebody has said that it holds.
        "claimed" => "vacant",
        "naming" => "claimed",
        "handed over" => "settled",
        stage => stage,
    };
    assert_eq!(stored, expected);
}

#[test]
fn a_reset_in_any_state_loses_no_payment_and_runs_no_tenant_after_money_was_asked_for() {
    for (stage, may_run) in RESETS {
        let (world, layout) = (World::new(), Layout::default());
        reset_in(&world, stage, layout);
        world.0.hangs_at.set(None);
        world.0.settles.set(true);
        let asked = world.0.asked_to_settle.get();
        let (shard, routed) = (world.shard("0", layout), known("p", 16));
        let named = Claim { identifier: Some("order-of-monday-0001".parse().unwrap()), ..claim("p") };
        let mut runs = 0;
        let body = loop {
            let claimed = ready(shard.claim(routed, named.clone(), "again")).unwrap();
            let Placed::Here(told) = claimed else { panic!("{stage}: it is here") };
            match told.reply {
                Reply::Settled(_) => break told.response.unwrap().body,
                Reply::Run => {
                    runs += 1;
                    ready(shard.settle(routed, "again", &content())).unwrap();
                }
                Reply::Pending { .. } | Reply::InProgress => world.pass_ms(2_000),
                other => panic!("{stage}: {other:?}"),
            }
        };
        assert_eq!((body, runs), (b"content".to_vec(), u32::from(may_run)), "{stage}");
        assert!(world.0.asked_to_settle.get() - asked <= 1, "{stage}: it is asked about once");
        assert!(world.0.stuck.borrow().is_empty(), "{stage}");
    }
}
