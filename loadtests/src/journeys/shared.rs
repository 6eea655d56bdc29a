//! What all users of an attack have in common: a clock, wallets, and the books of what each request came to. There is one attack a
//! process, because goose keeps state of its own that all would share.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use hdrhistogram::Histogram;
use system::clock::{Clock, SystemClock};
use traffic::Payers;

use crate::open;

static SHARED: OnceLock<Shared> = OnceLock::new();

/// In which users warm the server up.
const WARM_UP_US: u64 = 5_000_000;

pub struct Shared {
    pub clock: SystemClock,
    pub payers: Payers,
    /// Users who cannot pay only look and attack.
    pub may_buy: bool,
    purchases: AtomicU64,
    addresses: AtomicU32,
    books: Mutex<Books>,
}

/// Route, tenant, phase.
pub type Key = (&'static str, &'static str, &'static str);

#[derive(Default)]
pub struct Books {
    /// From when a request was sent to the last byte of its answer: goose's own times end at the first.
    pub took: BTreeMap<Key, Histogram<u64>>,
    pub requests: u64,
    pub wrong: u64,
    pub first_wrong: Option<String>,
    /// Payments that were answered with what they paid for, and those that were given up.
    pub served: Vec<String>,
    pub given_up: Vec<String>,
    /// How often each journey was walked to its end.
    pub walked: BTreeMap<&'static str, u64>,
}

impl Shared {
    /// Begins the state of this process. Called once, before the attack.
    pub fn begin(seed: u64, may_buy: bool) {
        let shared = Self {
            clock: SystemClock::start(),
            payers: Payers::from_seed(seed),
            may_buy,
            purchases: AtomicU64::new(0),
            addresses: AtomicU32::new(0),
            books: Mutex::default(),
        };
        assert!(SHARED.set(shared).is_ok(), "there is one attack a process");
    }

    pub fn get() -> &'static Self {
        SHARED.get().expect("the attack has begun")
    }

    pub fn next_purchase(&self) -> u64 {
        self.purchases.fetch_add(1, Ordering::Relaxed)
    }

    /// An address of a user's own: rates are by address.
    pub fn next_address(&self) -> Ipv4Addr {
        const OWN: u32 = u32::from_be_bytes([10, 0, 0, 1]);
        Ipv4Addr::from(OWN + self.addresses.fetch_add(1, Ordering::Relaxed))
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn phase(&self) -> &'static str {
        if self.clock.now_us() < WARM_UP_US { "warm-up" } else { "steady" }
    }
}

impl Books {
    pub fn record(&mut self, key: Key, micros: u64) {
        self.requests += 1;
        self.took.entry(key).or_insert_with(open::histogram).saturating_record(micros);
    }

    pub fn wrong(&mut self, what: String) {
        self.wrong += 1;
        self.first_wrong.get_or_insert(what);
    }
}
