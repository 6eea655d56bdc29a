//! The monitor between two boards, with a transport that is told what to answer.

use super::*;
use crate::ports::{FacilitatorAnswer, HttpRequest, TransportError};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

#[derive(Default)]
struct World {
    now: Cell<u64>,
    up: Cell<bool>,
    asked: RefCell<Vec<String>>,
    changes: RefCell<Vec<String>>,
    stored: RefCell<Option<Snapshot>>,
    alarm: Cell<Option<UnixMillis>>,
}

impl FacilitatorTransport for &World {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        self.asked.borrow_mut().push(request.url.to_owned());
        if !self.up.get() {
            return Err(TransportError::Timeout);
        }
        let body =
            if request.json.is_some() { r#"{"isValid":false,"invalidReason":"expired"}"# } else { r#"{"kinds":[]}"# };
        Ok(FacilitatorAnswer { status: 200, body: body.as_bytes().to_vec() })
    }
}

impl Clock for &World {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.now.get())
    }
    async fn sleep(&self, _: u64) {}
}

impl HealthLog for &World {
    fn record(&self, change: &StandingChange) {
        self.changes.borrow_mut().push(format!("{} {:?} {}", change.facilitator, change.call, change.to));
    }
}

impl HealthStore for &World {
    async fn load(&self) -> Result<Option<Snapshot>, LedgerError> {
        Ok(self.stored.borrow().clone())
    }
    async fn save(&self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        self.stored.replace(Some(snapshot.clone()));
        Ok(())
    }
    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.alarm.set(Some(at));
        Ok(())
    }
}

type TestMonitor<'a> = Monitor<&'a World, &'a World, &'a World, &'a World>;

fn monitor(world: &World) -> TestMonitor<'_> {
    let json = r#"[{"id":"a","url":"https://a"},{"id":"b","url":"https://b"}]"#;
    Monitor::new(world, world, world, world, Facilitators::from_json(json, &BTreeMap::new()).unwrap(), 7)
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn failures(id: &str, call: Call, at: u64) -> News {
    let event = Event {
        purpose: super::super::standing::Purpose::Use,
        began: UnixMillis(at),
        ms: 5,
        outcome: Outcome::Failed("unreachable".to_owned()),
    };
    let observation = Observation { facilitator: id.to_owned(), call, event };
    let specimen = RawValue::from_string("{}".to_owned()).unwrap();
    News { observations: vec![observation; 3], specimens: BTreeMap::from([(id.to_owned(), specimen)]) }
}

/// Exchanges, and runs what is to be done beside.
fn exchange(monitor: &TestMonitor<'_>, news: News) -> Snapshot {
    let (snapshot, jobs) = ready(monitor.exchange(news)).unwrap();
    for job in jobs {
        ready(monitor.run(job)).unwrap();
    }
    snapshot
}

#[test]
fn what_one_board_saw_all_boards_learn_and_a_probe_brings_it_back() {
    let world = World::default();
    world.up.set(true);
    let monitor = monitor(&world);
    world.now.set(1_000);
    let snapshot = exchange(&monitor, failures("a", Call::Verify, 1_000));
    assert!(!snapshot.facilitators["a"].is_in_use() && snapshot.facilitators["b"].is_in_use());
    assert_eq!(*world.asked.borrow(), ["https://a/supported", "https://b/supported"], "no probe before its time");
    assert_eq!(*world.changes.borrow(), ["a Verify quarantined"]);

    let at = world.alarm.get().expect("an alarm rings for the probe though nobody exchanges");
    world.now.set(at.0);
    for job in ready(monitor.woke()).unwrap() {
        ready(monitor.run(job)).unwrap();
    }
    assert_eq!(world.asked.borrow().last().unwrap(), "https://a/verify");
    assert!(exchange(&monitor, News::default()).facilitators["a"].is_in_use());
    assert_eq!(*world.changes.borrow(), ["a Verify quarantined", "a Verify healthy"]);
}

#[test]
fn probes_go_out_one_at_a_time_and_ever_more_seldom() {
    let world = World::default();
    let monitor = monitor(&world);
    exchange(&monitor, failures("a", Call::Verify, 1));
    world.asked.borrow_mut().clear();
    for now in (0..60_000).step_by(100) {
        world.now.set(now);
        let (_, jobs) = ready(monitor.exchange(News::default())).unwrap();
        let (_, again) = ready(monitor.exchange(News::default())).unwrap();
        assert!(again.is_empty(), "it is under way already");
        for job in jobs {
            ready(monitor.run(job)).unwrap();
        }
    }
    let probes = world.asked.borrow().iter().filter(|url| *url == "https://a/verify").count();
    assert!((12..=20).contains(&probes), "{probes} in a minute");
}

#[test]
fn a_quarantined_settle_is_never_probed_by_the_monitor() {
    let world = World::default();
    let monitor = monitor(&world);
    exchange(&monitor, failures("a", Call::Settle, 1));
    world.now.set(60_000);
    exchange(&monitor, News::default());
    assert!(world.asked.borrow().iter().all(|url| url.ends_with("/supported")));
    assert_eq!(world.alarm.get(), None);
}

#[test]
fn supported_is_fetched_again_after_its_time_and_the_last_good_answer_is_kept() {
    let world = World::default();
    world.up.set(true);
    let monitor = monitor(&world);
    let supported = |monitor: &TestMonitor<'_>| exchange(monitor, News::default()).facilitators["a"].supported.clone();
    let fetched = |world: &World| world.asked.borrow().iter().filter(|url| *url == "https://a/supported").count();
    assert_eq!(supported(&monitor), None, "nobody waits for it");
    let first = supported(&monitor).unwrap();
    world.up.set(false);
    world.now.set(SUPPORTED_TTL_MS);
    supported(&monitor);
    assert_eq!((supported(&monitor).unwrap(), fetched(&world)), (first.clone(), 2));
    world.up.set(true);
    world.now.set(SUPPORTED_TTL_MS + SUPPORTED_RETRY_MS);
    supported(&monitor);
    assert_ne!(supported(&monitor).unwrap().at, first.at);
}

#[test]
fn a_restart_forgets_no_standing() {
    let world = World::default();
    exchange(&monitor(&world), failures("b", Call::Settle, 1));
    let after = monitor(&world);
    assert!(!exchange(&after, News::default()).facilitators["b"].is_in_use());
}
