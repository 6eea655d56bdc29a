//! The alarms of Durable Objects. They outlive the process, ring no sooner than they were set to, and ring again where the
//! process died while one was being answered. Where answering fails they ring again six times, with growing pauses, and then no
//! more, as on the platform.

use dispatcher_core::paywall::UnixMillis;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};
use tokio::sync::Notify;

/// Whose alarm it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    Health,
    Payment(String),
}

#[derive(Clone, Default)]
pub struct Alarms(Rc<Inner>);

#[derive(Default)]
struct Inner {
    set: RefCell<Set>,
    changed: Notify,
}

#[derive(Default)]
struct Set {
    at: BTreeMap<Object, UnixMillis>,
    queue: BTreeSet<(UnixMillis, Object)>,
    /// Rang, and not answered yet.
    ringing: BTreeSet<Object>,
    /// How often in a row answering failed.
    failures: BTreeMap<Object, u32>,
}

/// Pause before an alarm that could not be answered rings again; it doubles with each failure.
const RING_AGAIN_MS: u64 = 2_000;
/// The platform rings so often again.
const RINGS_AGAIN: u32 = 6;

impl Alarms {
    /// In place of an earlier one.
    pub fn set(&self, object: Object, at: UnixMillis) {
        self.0.set.borrow_mut().set(object, at);
        self.0.changed.notify_one();
    }

    /// The object has no alarm any more.
    pub fn clear(&self, object: &Object) {
        self.0.set.borrow_mut().take(object);
    }

    /// Waits until one is due, which is then ringing.
    pub async fn next(&self, clock: &impl dispatcher_core::paywall::ports::Clock) -> Object {
        loop {
            let first = self.0.set.borrow().queue.first().map(|(at, _)| *at);
            let wait = first.map(|at| at.since(clock.now()));
            if wait == Some(0) {
                return self.0.set.borrow_mut().ring();
            }
            let changed = self.0.changed.notified();
            match wait {
                Some(ms) => drop(tokio::time::timeout(Duration::from_millis(ms), changed).await),
                None => changed.await,
            }
        }
    }

    pub fn answered(&self, object: &Object) {
        let mut set = self.0.set.borrow_mut();
        set.ringing.remove(object);
        set.failures.remove(object);
    }

    /// Answering failed: it rings again, unless a new one was set in the meantime or it has failed too often.
    pub fn failed(&self, object: Object, now: UnixMillis) {
        let mut set = self.0.set.borrow_mut();
        set.ringing.remove(&object);
        if set.at.contains_key(&object) {
            return;
        }
        let failures = set.failures.entry(object.clone()).or_default();
        *failures += 1;
        let (failures, pause) = (*failures, RING_AGAIN_MS << (*failures - 1));
        if failures <= RINGS_AGAIN {
            set.set(object, now.plus(pause));
            self.0.changed.notify_one();
        }
    }

    /// A new process answers what the old one left ringing, unless that set a new alarm in the meantime.
    pub fn ring_again(&self, now: UnixMillis) {
        let mut set = self.0.set.borrow_mut();
        for object in std::mem::take(&mut set.ringing) {
            if !set.at.contains_key(&object) {
                set.set(object, now);
            }
        }
    }
}

impl Set {
    fn set(&mut self, object: Object, at: UnixMillis) {
        self.take(&object);
        self.queue.insert((at, object.clone()));
        self.at.insert(object, at);
    }

    fn take(&mut self, object: &Object) {
        if let Some(at) = self.at.remove(object) {
            self.queue.remove(&(at, object.clone()));
        }
    }

    fn ring(&mut self) -> Object {
        let (_, object) = self.queue.pop_first().expect("the caller saw one that is due");
        self.at.remove(&object);
        self.ringing.insert(object.clone());
        object
    }
}
