//! One isolate's memory of who came, and the steps in it that every rule takes.

use super::{
    TurnedAway,
    goodwill::Goodwill,
    key,
    meter::{self, Event, Meter, Rule, Verdict},
    neighbours::Neighbours,
    rates::Question,
    reading::Reading,
    runs::Watched,
    source::{Network, Source},
    table::{Aged, Table},
    under_way::UnderWay,
    waits::Wait,
};
use crate::telemetry::Alert;
use std::cell::RefCell;
use x402_paywall::UnixMillis;

/// Counters of addresses and networks, some six for each: a megabyte of an isolate's 128.
const ADDRESSES: usize = 32_768;
/// Counters of payers that sign, whether they own anything or not.
const PAYERS: usize = 4_096;
/// Counters of tenants, five for each. No caller can add to them.
const TENANTS: usize = 2_048;
/// Payments that the ledger has.
const KEPT: usize = 8_192;
/// Payers and sources that have bought something.
const GOODWILL: usize = 8_192;
/// Payments that came to nothing.
const WAITS: usize = 4_096;
/// Sources of worthless payments.
const BLAMED: usize = 4_096;
/// Networks of which something misbehaved.
const NETWORKS: usize = 2_048;

/// One isolate's view of who comes.
#[derive(Debug)]
pub struct Gate {
    seed: u64,
    pub(super) seen: RefCell<Seen>,
}

#[derive(Debug)]
pub(super) struct Seen {
    addresses: Table<Meter>,
    payers: Table<Meter>,
    tenants: Table<Meter>,
    pub kept: Table<Touched>,
    pub goodwill: Table<Goodwill>,
    pub waits: Table<Wait>,
    networks: Table<Neighbours>,
    pub under_way: UnderWay,
    pub reading: Reading,
    /// Sources, by their widest networks, of which something was worthless lately.
    pub blamed: Table<Touched>,
    /// The latest last.
    pub workers: Vec<(u64, Watched)>,
    pub questions: Vec<Question>,
    pub alerts: Vec<Alert>,
}

/// When a key was last heard of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touched(pub UnixMillis);

impl Aged for Touched {
    fn at(&self) -> UnixMillis {
        self.0
    }
}

/// A kind of key: what is counted or remembered under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    // Counted, by whom.
    TenantFree,
    TenantPaid,
    Newcomers,
    FirstComers,
    Probe,
    Payer,
    Address,
    WideNetwork,
    Unpaid,
    Malformed,
    Worthless,
    Unanswered,
    Unsigned,
    Again,
    Look,
    // Names that other keys are made of.
    Tenant,
    Source,
    Network,
    Header,
    Payment,
    PayerName,
    Path,
    // Remembered.
    Proven,
    Wait,
}

/// One counter and its rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub of: Of,
    pub key: u64,
    pub rule: Rule,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Gate {
    /// The seed keeps callers from choosing whom they push out.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let [addresses, tenants] = [ADDRESSES, TENANTS].map(Table::new);
        let seen = Seen {
            addresses,
            payers: Table::new(PAYERS),
            tenants,
            kept: Table::new(KEPT),
            goodwill: Table::new(GOODWILL),
            waits: Table::new(WAITS),
            networks: Table::new(NETWORKS),
            under_way: UnderWay::default(),
            reading: Reading::default(),
            blamed: Table::new(BLAMED),
            workers: Vec::new(),
            questions: Vec::new(),
            alerts: Vec::new(),
        };
        Self { seed, seen: RefCell::new(seen) }
    }

    /// The bytes that it holds, about.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let seen = self.seen.borrow();
        let tables = [&seen.addresses, &seen.payers, &seen.tenants].map(Table::bytes).into_iter().sum::<usize>();
        let more = seen.blamed.bytes()
            + seen.kept.bytes()
            + seen.goodwill.bytes()
            + seen.waits.bytes()
            + seen.networks.bytes();
        tables + more + seen.workers.iter().map(|(_, worker)| worker.bytes()).sum::<usize>()
    }

    /// Takes the alerts that are not told yet.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        std::mem::take(&mut self.seen.borrow_mut().alerts)
    }

    pub(super) fn name(&self, of: Of, parts: &[&str]) -> u64 {
        // Never more than three parts.
        let mut bytes: [&[u8]; 3] = [&[]; 3];
        for (into, part) in bytes.iter_mut().zip(parts) {
            *into = part.as_bytes();
        }
        key::key(self.seed, of as u8, &bytes[..parts.len()])
    }

    pub(super) fn network(&self, network: Network) -> u64 {
        key::key(self.seed, Of::Network as u8, &[&network.bytes()])
    }

    // One copy: it is called from everywhere, and the wasm's size counts.
    #[inline(never)]
    pub(super) fn step(&self, count: Count, event: Event, now: UnixMillis) -> Verdict {
        let seen = &mut *self.seen.borrow_mut();
        let table = match count.of {
            Of::TenantFree | Of::TenantPaid | Of::Newcomers | Of::FirstComers | Of::Probe => &mut seen.tenants,
            Of::Payer => &mut seen.payers,
            _ => &mut seen.addresses,
        };
        // A key that was never counted is below every rule, and need not push out another.
        if matches!(event, Event::Knocked | Event::WasGood) && table.get(count.key).is_none() {
            return Verdict::Fits { is_busy: false };
        }
        let state = table.state(count.key);
        let (meter, verdict) = meter::step(*state, event, count.rule, now);
        *state = meter;
        verdict
    }

    /// Takes note that a source did something that its neighbours may answer for.
    pub(super) fn misbehaved(&self, source: &Source, now: UnixMillis) {
        for network in source.networks().into_iter().flatten() {
            let key = self.network(network);
            let seen = &mut *self.seen.borrow_mut();
            let state = seen.networks.state(key);
            let were_one = state.are_one(now);
            *state = state.with(network.part, now);
            if !were_one && state.are_one(now) {
                let name = format!("{}, its network of {} bits", source.as_str(), network.bits);
                seen.alerts.push(Alert { alert: "network_misbehaves".into(), source: Some(name), ..Alert::default() });
            }
        }
    }

    /// Tells whether the network is held to rules as one caller.
    pub(super) fn is_one(&self, network: u64, now: UnixMillis) -> bool {
        self.seen.borrow().networks.get(network).is_some_and(|network| network.are_one(now))
    }
}

pub(super) fn fits(verdict: Verdict) -> Result<(), TurnedAway> {
    match verdict {
        Verdict::Fits { .. } => Ok(()),
        Verdict::TooMuch { retry_after_ms, .. } => Err(TurnedAway::for_ms(retry_after_ms)),
    }
}
