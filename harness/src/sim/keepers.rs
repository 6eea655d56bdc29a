//! The payments' Durable Objects. One lives on in memory between two calls, as on the platform, until nobody has called it for a
//! while or the process dies; and then it comes back from what it stored. A bug in what is kept in memory between two rings of an
//! alarm shows only in one that lives on, and a bug in what is stored only in one that does not.

use super::{chance::Chance, clock::VirtualClock, objects::SimKeeper};
use dispatcher_core::paywall::{
    UnixMillis,
    ports::{Clock, LedgerError},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// How long an object that nobody calls stays in memory: on the platform from ten seconds to some two minutes.
const IDLE_MS: std::ops::Range<u64> = 10_000..140_000;

pub struct Keepers {
    open: Box<dyn Fn(&str) -> SimKeeper>,
    living: RefCell<BTreeMap<String, Living>>,
    chance: Chance,
    clock: VirtualClock,
}

struct Living {
    keeper: Rc<SimKeeper>,
    /// When it goes, if nobody calls it until then.
    until: UnixMillis,
}

impl Keepers {
    /// `open` makes the keeper of the payment with the given key.
    pub fn new(open: impl Fn(&str) -> SimKeeper + 'static, chance: Chance, clock: VirtualClock) -> Self {
        Self { open: Box::new(open), living: RefCell::default(), chance, clock }
    }

    /// Wakes the keeper of a payment whose alarm is due. After an error it must be woken again, after that pause.
    pub async fn wake(&self, payment: &str) -> (Result<(), LedgerError>, u64) {
        self.with(payment, async |keeper| (keeper.woke().await, keeper.ring_again_ms())).await
    }

    pub async fn with<R>(&self, payment: &str, ask: impl AsyncFnOnce(&SimKeeper) -> R) -> R {
        let keeper = self.keeper_of(payment);
        let answer = ask(&keeper).await;
        drop(keeper);
        let stays = IDLE_MS.start + self.chance.number() % (IDLE_MS.end - IDLE_MS.start);
        if let Some(living) = self.living.borrow_mut().get_mut(payment) {
            living.until = self.clock.now().plus(stays);
        }
        answer
    }

    fn keeper_of(&self, payment: &str) -> Rc<SimKeeper> {
        let now = self.clock.now();
        let mut living = self.living.borrow_mut();
        // Whoever holds something for a request, or is being called, stays.
        living.retain(|_, one| one.until > now || Rc::strong_count(&one.keeper) > 1 || !one.keeper.rests());
        let opened = || Living { keeper: Rc::new((self.open)(payment)), until: now };
        Rc::clone(&living.entry(payment.to_owned()).or_insert_with(opened).keeper)
    }
}
