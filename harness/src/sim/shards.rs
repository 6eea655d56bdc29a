//! The ledger's Durable Objects. One lives on in memory between two calls, as on the platform, until nobody has called it for a
//! while or the process dies; and then it comes back from what it stored. A bug in what is kept in memory between two rings of an
//! alarm shows only in one that lives on, and a bug in what is stored only in one that does not.

use super::{chance::Chance, clock::VirtualClock, objects::SimShard};
use dispatcher_core::paywall::{UnixMillis, ports::Clock};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// How long an object that nobody calls stays in memory: on the platform from ten seconds to some two minutes.
const IDLE_MS: std::ops::Range<u64> = 10_000..140_000;

pub struct Shards {
    open: Box<dyn Fn(&str) -> SimShard>,
    living: RefCell<BTreeMap<String, Living>>,
    chance: Chance,
    clock: VirtualClock,
}

struct Living {
    shard: Rc<SimShard>,
    /// When it goes, if nobody calls it until then.
    until: UnixMillis,
}

impl Shards {
    /// `open` makes the shard of the given name.
    pub fn new(open: impl Fn(&str) -> SimShard + 'static, chance: Chance, clock: VirtualClock) -> Self {
        Self { open: Box::new(open), living: RefCell::default(), chance, clock }
    }

    pub async fn with<R>(&self, name: &str, ask: impl AsyncFnOnce(&SimShard) -> R) -> R {
        let shard = self.shard(name);
        let answer = ask(&shard).await;
        drop(shard);
        let stays = IDLE_MS.start + self.chance.number() % (IDLE_MS.end - IDLE_MS.start);
        if let Some(living) = self.living.borrow_mut().get_mut(name) {
            living.until = self.clock.now().plus(stays);
        }
        answer
    }

    fn shard(&self, name: &str) -> Rc<SimShard> {
        let now = self.clock.now();
        let mut living = self.living.borrow_mut();
        // Whoever holds something for a request, or is being called, stays.
        living.retain(|_, one| one.until > now || Rc::strong_count(&one.shard) > 1 || !one.shard.rests());
        let opened = || Living { shard: Rc::new((self.open)(name)), until: now };
        Rc::clone(&living.entry(name.to_owned()).or_insert_with(opened).shard)
    }
}
