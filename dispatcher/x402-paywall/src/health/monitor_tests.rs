//! The monitor between two boards, with a transport that is told what to answer.

use super::super::witness::Witness;
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
    alerts: RefCell<Vec<String>>,
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

    fn alert(&self, alert: &FacilitatorAlert) {
        self.alerts.borrow_mut().push(alert.alert.clone().into_owned());
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

/// Three failures of sound payments, and a specimen.
fn failures(id: &str, call: Call, at: u64) -> News {
    let specimen = RawValue::from_string("{}".to_owned()).unwrap();
    let mut news = failures_for(id, call, at, "unreachable", |n| n);
    for observation in &mut news.observations {
        observation.event.witness.as_mut().unwrap().grade = Grade::Sound;
    }
    News { specimens: BTreeMap::from([(id.to_owned(), specimen)]), ..news }
}

/// Three failures of strangers for this reason, each from the network that `network` says.
fn failures_for(id: &str, call: Call, at: u64, reason: &str, network: impl Fn(u64) -> u64) -> News {
    let observation = |n: u64| {
        let grade = Grade::Stranger;
        let event = Event {
            purpose: Purpose::Use,
            began: UnixMillis(at),
            ms: 5,
            outcome: Outcome::Failed(reason.to_owned()),
            witness: Some(Witness { payment: n, payer: n, network: network(n), grade }),
            said: None,
            retold: false,
        };
        Observation { facilitator: id.to_owned(), call, event }
    };
    News { observations: (1..=3).map(observation).collect(), ..News::default() }
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

#[test]
fn without_a_specimen_a_look_at_what_is_supported_is_a_sign_of_life_and_no_recovery() {
    let world = World::default();
    let monitor = monitor(&world);
    exchange(&monitor, News { specimens: BTreeMap::new(), ..failures("a", Call::Verify, 1) });
    world.asked.borrow_mut().clear();
    world.up.set(true);
    world.now.set(world.alarm.get().expect("it is looked at though nobody exchanges").0);
    let standing = exchange(&monitor, News::default()).facilitators["a"].verify.standing.clone();
    assert_eq!(standing.name(), "quarantined");
    assert_eq!(*world.asked.borrow(), ["https://a/supported"]);
    let standing = exchange(&monitor, News::default()).facilitators["a"].verify.standing.clone();
    assert_eq!(standing.name(), "probing", "only a payment brings it back");
}

#[test]
fn what_strangers_say_is_looked_into_and_opens_nothing_by_itself() {
    for up in [true, false] {
        let world = World::default();
        let monitor = monitor(&world);
        world.up.set(up);
        // It is asked for its list when it is first met, beside this.
        let before = exchange(&monitor, failures_for("a", Call::Verify, 1, "http_500", |n| n));
        assert!(before.facilitators["a"].is_in_use());
        let after = exchange(&monitor, News::default()).facilitators["a"].clone();
        assert_eq!(after.is_in_use(), up, "{after:?}");
    }
}

#[test]
fn a_payment_that_fails_as_a_probe_is_not_the_next_probe() {
    let world = World::default();
    let monitor = monitor(&world);
    let specimen = |text: &str| News {
        specimens: BTreeMap::from([("a".to_owned(), RawValue::from_string(text.to_owned()).unwrap())]),
        ..News::default()
    };
    for n in 0..5 {
        exchange(&monitor, specimen(&n.to_string()));
    }
    let first = || monitor.specimens.borrow()["a"][0].get().to_owned();
    assert_eq!((first().as_str(), monitor.specimens.borrow()["a"].len()), ("2", SPECIMENS_KEPT));
    ready(monitor.probe("a"));
    assert_eq!(first(), "3");
    world.up.set(true);
    ready(monitor.probe("a"));
    assert_eq!(first(), "3", "it did well");
}

#[test]
fn who_refuses_everybody_is_told_once_and_a_lone_stranger_tells_nothing() {
    for (reason, alert) in [
        ("http_400", "facilitator_refuses_all"),
        ("http_401", "credentials_refused"),
        ("redirect", "facilitator_refuses_all"),
    ] {
        let world = World::default();
        let monitor = monitor(&world);
        world.up.set(true);
        exchange(&monitor, failures_for("a", Call::Verify, 1, reason, |n| n));
        assert_eq!(*world.changes.borrow(), ["a Verify degraded"]);
        assert_eq!(*world.alerts.borrow(), [alert]);
        world.now.set(1_000);
        exchange(&monitor, failures_for("a", Call::Settle, 1_000, reason, |n| n));
        assert_eq!(*world.alerts.borrow(), [alert], "one word is enough for a while");
    }
    let world = World::default();
    let mut one = failures_for("a", Call::Verify, 1, "http_403", |_| 7);
    one.observations.truncate(1);
    exchange(&monitor(&world), one);
    assert!(world.alerts.borrow().is_empty());
}

#[test]
fn who_was_settled_anywhere_is_known_everywhere() {
    let world = World::default();
    let monitor = monitor(&world);
    world.now.set(5);
    exchange(&monitor, News { regulars: vec![9], ..News::default() });
    let regulars = exchange(&monitor, News::default()).regulars;
    assert!(regulars.has(&Witness { payer: 9, ..Witness::unknown() }, UnixMillis(10)));
}
