//! What one isolate knows of its facilitators' health, and how payments choose among them.
//!
//! Nothing here waits: what this isolate sees counts here at once, what others see comes with the next exchange, and
//! exchanges happen beside payments, never on their way.

use super::{
    desk::{Desk, Entry},
    jitter::Jitter,
    news::{News, Observation, Snapshot},
    regulars::{self, Regulars},
    standing::{Event, Hope, Outcome, Purpose, Standing, step},
    witness::{Grade, Witness},
};
use crate::{
    UnixMillis,
    claim::Claim,
    facilitator::{Facilitators, supported::SUPPORTED_TTL_MS},
    telemetry::Call,
};
use serde_json::value::RawValue;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    mem,
    rc::Rc,
};
use x402_protocol::{Network, Version};

pub use super::desk::Errand;

/// Pause between exchanges while a facilitator is not healthy, or a failure is not told yet.
pub const EXCHANGE_MS: u64 = 1_000;
/// Pause between exchanges while all is well.
pub const CALM_EXCHANGE_MS: u64 = 10_000;
/// An exchange that has not ended by then is given up: the one that asked may be gone.
const EXCHANGE_LIMIT_MS: u64 = 5_000;
/// The first few come quickly: what the first one sets off, such as asking what is supported, the next ones bring.
const QUICK_EXCHANGES: u32 = 3;
/// Those who wait for one turn come back within so long after it.
const TURN_SPREAD_MS: u64 = 250;
/// A view older than this is out of date: nobody has asked here for so long, or the other side is out of reach.
const STALE_MS: u64 = 10_000;
/// Observations kept for the next exchange; beyond it the oldest are dropped, for the newest say most.
const MAX_NEWS: usize = 256;
/// Payments that were answered soundly, and payers whose payments were settled: those that an isolate remembers.
const PROVEN_KEPT: usize = 256;
const REGULARS_KEPT: usize = 512;

/// Shared by everything in an isolate that asks facilitators.
pub struct Board {
    inner: RefCell<Inner>,
    jitter: Jitter,
}

struct Inner {
    /// In configured order; at most eight, so a scan finds one.
    desks: Vec<Desk>,
    news: VecDeque<Observation>,
    exchange: Exchange,
    /// Payments that were answered soundly here, the newest last.
    proven: VecDeque<u64>,
    regulars: Regulars,
    /// Those that are not told yet, and those that are on their way.
    new_regulars: Vec<u64>,
    told_regulars: Vec<u64>,
}

/// How the exchange with the merging place stands.
#[derive(Default)]
struct Exchange {
    /// `None`: never yet.
    told_at: Option<UnixMillis>,
    failed_at: Option<UnixMillis>,
    told: u32,
    /// The news on their way, and when they are given up.
    under_way: Option<(Vec<Observation>, UnixMillis)>,
}

/// Whom a claim may be verified by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// In the order in which they are to be asked.
    pub ask: Vec<String>,
    /// With the reason code, for the request's log line.
    pub left_out: Vec<(String, &'static str)>,
}

/// A call that began: to be given back when it has ended.
#[derive(Clone, Debug)]
#[must_use]
pub struct Begun {
    facilitator: String,
    call: Call,
    errand: Errand,
    witness: Witness,
    entry: Entry,
    at: UnixMillis,
}

/// A facilitator has no room for payments of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// A call that failed, in case another facilitator answers the same payment soundly: see [`Board::proved`].
#[derive(Clone, Debug)]
pub struct Failed {
    facilitator: String,
    call: Call,
    event: Event,
}

/// Why nobody can serve an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotServe {
    /// None of the facilitators lists it.
    Unlisted,
    /// All that list it are quarantined.
    Quarantined,
}

impl Board {
    /// `seed` comes from the randomness port.
    #[must_use]
    pub fn new(facilitators: &Facilitators, seed: u64) -> Self {
        let desks = facilitators.iter().map(Desk::new).collect();
        let inner = Inner {
            desks,
            news: VecDeque::new(),
            exchange: Exchange::default(),
            proven: VecDeque::new(),
            regulars: Regulars::default(),
            new_regulars: Vec::new(),
            told_regulars: Vec::new(),
        };
        Self { inner: RefCell::new(inner), jitter: Jitter::new(seed) }
    }

    /// Whether an offer in this network can be settled by any of these, as far as is known. `version`: of the payment that
    /// came with the request; without one, either generation will do.
    ///
    /// Nothing waits for this. Until `/supported` was answered, everybody may serve everything.
    pub fn can_serve(
        &self,
        facilitators: &[String],
        network: Network,
        version: Option<Version>,
        now: UnixMillis,
    ) -> Result<(), CannotServe> {
        let mut inner = self.inner.borrow_mut();
        let stale = inner.exchange.is_stale(now);
        let mut listed = false;
        for id in facilitators {
            let Some(desk) = inner.desk(id) else { continue };
            let at = desk.known.supported.as_ref().map(|supported| supported.at);
            let outdated = stale && at.is_none_or(|at| now.since(at) >= SUPPORTED_TTL_MS);
            if !(outdated || desk.serves(version, network)) {
                continue;
            }
            listed = true;
            // A view that is out of date is no reason to sell nothing.
            if stale || desk.may_be_offered(now) {
                return Ok(());
            }
        }
        Err(if listed { CannotServe::Quarantined } else { CannotServe::Unlisted })
    }

    /// Whom to ask for `/verify`: those that can serve the claim and may be used for verify and settle both, the healthy
    /// before the slow. While there is nobody, a few payments may try those that are quarantined.
    #[must_use]
    pub fn order(&self, claim: &Claim, now: UnixMillis) -> Order {
        let mut inner = self.inner.borrow_mut();
        let stale = inner.exchange.is_stale(now);
        let (mut order, mut slow) = (Order::default(), Vec::new());
        for id in &claim.facilitators {
            let Some(desk) = inner.desk(id) else { continue };
            if !desk.serves(Some(claim.version), claim.network) {
                order.left_out.push((id.clone(), "cannot_serve"));
            } else if !desk.known.is_in_use() {
                order.left_out.push((id.clone(), "quarantined"));
            } else if desk.is_slow() {
                slow.push(id.clone());
            } else {
                order.ask.push(id.clone());
            }
        }
        order.ask.extend(slow);
        if order.ask.is_empty() {
            let witness = Witness::of(claim, inner.grade_of(claim, Call::Verify, now));
            inner.let_some_try(&mut order, &witness, stale, now);
        }
        order
    }

    /// Whom a first `/settle` may go to, best first: whoever verified, unless another one is due to be tried or the
    /// verifier is in trouble by now.
    #[must_use]
    pub fn settle_order(&self, claim: &Claim, verified_by: &str, now: UnixMillis) -> Vec<String> {
        let mut inner = self.inner.borrow_mut();
        let hope = inner.hope(&claim.facilitators);
        let witness = Witness::of(claim, Grade::Sound);
        let (mut tried_first, mut healthy, mut slow) = (Vec::new(), Vec::new(), Vec::new());
        let verifier_first = claim.facilitators.iter().filter(|id| *id == verified_by);
        let others = claim.facilitators.iter().filter(|id| *id != verified_by);
        let mut last_resort = Vec::new();
        for id in verifier_first.chain(others) {
            let Some(desk) = inner.desk(id).filter(|desk| desk.serves(Some(claim.version), claim.network)) else {
                continue;
            };
            if tried_first.is_empty() && desk.wants_first_settle(&witness, hope, now) {
                tried_first.push(id.clone());
            } else if desk.known.is_in_use() {
                if desk.is_slow() { slow.push(id.clone()) } else { healthy.push(id.clone()) }
            } else if id == verified_by && desk.known.settle.standing.is_in_use() {
                last_resort.push(id.clone());
            }
        }
        [tried_first, healthy, slow, last_resort].concat()
    }

    /// From when on the facilitator may be asked again about a settlement whose answer was lost: see `debts`.
    #[must_use]
    pub fn may_ask_again_at(&self, facilitator: &str, now: UnixMillis) -> UnixMillis {
        let mut inner = self.inner.borrow_mut();
        let hope = inner.hope_at_all();
        let at = inner.desk(facilitator).map_or(now, |desk| desk.debt_at(hope, now));
        // Spread, so that those who wait for one turn do not all come back at its first moment.
        if at > now { at.plus((self.jitter.unit() * TURN_SPREAD_MS as f64) as u64) } else { at }
    }

    /// A call for this claim goes out, unless the facilitator has no room for it.
    pub fn begin(
        &self,
        facilitator: &str,
        claim: &Claim,
        call: Call,
        errand: Errand,
        now: UnixMillis,
    ) -> Result<Begun, Busy> {
        let mut inner = self.inner.borrow_mut();
        let (hope, grade) = (inner.hope_at_all(), inner.grade_of(claim, call, now));
        let witness = Witness::of(claim, grade);
        let entry = match inner.desk(facilitator) {
            Some(desk) => desk.enter((&witness, claim.proven), call, errand, hope, now).ok_or(Busy)?,
            None => Entry { purpose: Purpose::Use, until: now },
        };
        Ok(Begun { facilitator: facilitator.to_owned(), call, errand, witness, entry, at: now })
    }

    /// It ended. No outcome: it says nothing of the facilitator. `said` is what the facilitator said of a failure. Returns
    /// the failure, if it was one.
    pub fn ended(
        &self,
        begun: Begun,
        outcome: Option<Outcome>,
        said: Option<String>,
        now: UnixMillis,
    ) -> Option<Failed> {
        let Begun { facilitator, call, errand, witness, entry, at } = begun;
        let mut inner = self.inner.borrow_mut();
        let answered = outcome == Some(Outcome::Answered);
        if let Some(desk) = inner.desk(&facilitator) {
            desk.leave(entry, &witness, call, errand, answered, now);
        }
        let said = said.filter(|_| !answered);
        let event = Event {
            purpose: entry.purpose,
            began: at,
            ms: now.since(at),
            outcome: outcome?,
            witness: Some(witness),
            said,
            retold: false,
        };
        inner.note(Observation { facilitator: facilitator.clone(), call, event: event.clone() }, now, &self.jitter);
        (!answered).then_some(Failed { facilitator, call, event })
    }

    /// The facilitator `by` has found that the claim holds: so it is sound, and who failed on it before has failed on a sound
    /// payment. It serves as a specimen for probes there, and elsewhere if its signature is an account's: a smart account
    /// may answer the one and not the other.
    pub fn proved(&self, claim: &Claim, by: &str, failed: Vec<Failed>, now: UnixMillis) {
        let mut inner = self.inner.borrow_mut();
        let witness = Witness::of(claim, Grade::Sound);
        if !inner.proven.contains(&witness.payment) {
            inner.proven.push_back(witness.payment);
            let extra = inner.proven.len().saturating_sub(PROVEN_KEPT);
            inner.proven.drain(..extra);
        }
        let specimen: Rc<RawValue> = claim.request.clone().into();
        for id in &claim.facilitators {
            if let Some(desk) = inner.desk(id)
                && (id == by || claim.proven && desk.specimens.is_empty())
            {
                desk.specimens.keep(witness, Rc::clone(&specimen));
            }
        }
        for Failed { facilitator, call, event } in failed {
            let event = Event { witness: Some(witness), retold: true, ..event };
            inner.note(Observation { facilitator, call, event }, now, &self.jitter);
        }
    }

    /// The claim was settled: its payer is a stranger no more.
    pub fn settled(&self, claim: &Claim, now: UnixMillis) {
        let mut inner = self.inner.borrow_mut();
        let payer = Witness::of(claim, Grade::Sound).payer;
        inner.regulars.add(payer, now, REGULARS_KEPT);
        if inner.new_regulars.len() + inner.told_regulars.len() < regulars::TOLD {
            inner.new_regulars.push(payer);
        }
    }

    /// The news to exchange for a snapshot now, if it is time. To be followed by [`Board::merge`] or [`Board::failed`].
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Option<News> {
        let mut inner = self.inner.borrow_mut();
        if !inner.is_due(now) {
            return None;
        }
        // One that was given up may have arrived: told twice is better than not at all.
        let lost = inner.exchange.under_way.take().map(|(lost, _)| lost).unwrap_or_default();
        let observations: Vec<_> = lost.into_iter().chain(mem::take(&mut inner.news)).collect();
        inner.exchange.under_way = Some((observations.clone(), now.plus(EXCHANGE_LIMIT_MS)));
        let wanted = inner.desks.iter().filter(|desk| desk.known.verify.standing != Standing::Healthy);
        let turn = inner.exchange.told as usize;
        let specimen = |desk: &Desk| Some((desk.id.clone(), RawValue::to_owned(desk.specimens.nth(turn)?)));
        // One by one, here and wherever a map of few is filled: collecting would bring a sort into the wasm for each map.
        let mut specimens = BTreeMap::new();
        specimens.extend(wanted.filter_map(specimen));
        let new = mem::take(&mut inner.new_regulars);
        inner.told_regulars.extend(new);
        let regulars = inner.told_regulars.clone();
        Some(News { observations, specimens, regulars })
    }

    /// Takes the view of all isolates, and puts on top of it what happened here since the news were sent.
    pub fn merge(&self, snapshot: Snapshot, now: UnixMillis) {
        let mut inner = self.inner.borrow_mut();
        let told = inner.exchange.told.saturating_add(1);
        inner.exchange = Exchange { told_at: Some(now), failed_at: None, told, under_way: None };
        for (id, known) in snapshot.facilitators {
            if let Some(desk) = inner.desk(&id) {
                desk.known = known;
            }
        }
        inner.told_regulars.clear();
        inner.regulars.merge(&snapshot.regulars, REGULARS_KEPT);
        for observation in inner.news.clone() {
            inner.apply(&observation, now, &self.jitter);
        }
    }

    /// The exchange did not work: its news go with the next one.
    pub fn failed(&self, now: UnixMillis) {
        let mut inner = self.inner.borrow_mut();
        inner.exchange.failed_at = Some(now);
        let lost = inner.exchange.under_way.take().map(|(lost, _)| lost).unwrap_or_default();
        let mut news: VecDeque<_> = lost.into_iter().chain(mem::take(&mut inner.news)).collect();
        let extra = news.len().saturating_sub(MAX_NEWS);
        news.drain(..extra);
        inner.news = news;
    }
}

impl Inner {
    fn desk(&mut self, id: &str) -> Option<&mut Desk> {
        self.desks.iter_mut().find(|desk| desk.id == id)
    }

    /// Whether any of these may be used.
    fn hope(&self, ids: &[String]) -> Hope {
        Hope::of(self.desks.iter().filter(|desk| ids.contains(&desk.id)).map(|desk| &desk.known))
    }

    fn hope_at_all(&self) -> Hope {
        Hope::of(self.desks.iter().map(|desk| &desk.known))
    }

    fn grade_of(&self, claim: &Claim, call: Call, now: UnixMillis) -> Grade {
        let stranger = Witness::of(claim, Grade::Stranger);
        let (is_regular, is_proven) = (self.regulars.has(&stranger, now), self.proven.contains(&stranger.payment));
        Desk::grade_of(call, claim, is_regular, is_proven)
    }

    /// Counts here at once, and is told with the next exchange.
    fn note(&mut self, observation: Observation, now: UnixMillis, jitter: &Jitter) {
        self.apply(&observation, now, jitter);
        if self.news.len() >= MAX_NEWS {
            self.news.pop_front();
        }
        self.news.push_back(observation);
    }

    fn apply(&mut self, observation: &Observation, now: UnixMillis, jitter: &Jitter) {
        let Some(desk) = self.desk(&observation.facilitator) else { return };
        let limits = desk.limits(observation.call);
        let health = desk.known.of_mut(observation.call);
        *health = step(mem::take(health), &observation.event, limits, now, jitter.unit());
    }

    /// Nobody is well: a payment may see whether one of them is back, where probes cannot or do not tell us.
    fn let_some_try(&mut self, order: &mut Order, witness: &Witness, stale: bool, now: UnixMillis) {
        let left_out = mem::take(&mut order.left_out);
        for (id, why) in left_out {
            let desk = self.desk(&id).filter(|_| why == "quarantined");
            if desk.is_some_and(|desk| desk.may_try(witness, stale, now)) {
                order.ask.push(id);
            } else {
                order.left_out.push((id, why));
            }
        }
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        if self.desks.is_empty()
            || self.exchange.under_way.as_ref().is_some_and(|(_, until)| now < *until)
            || self.exchange.failed_at.is_some_and(|failed_at| now.since(failed_at) < EXCHANGE_MS)
        {
            return false;
        }
        let calm = self.exchange.told >= QUICK_EXCHANGES
            && !self.desks.iter().any(Desk::is_slow)
            && self.news.iter().all(|observation| observation.event.is_everyday());
        let pause = if calm { CALM_EXCHANGE_MS } else { EXCHANGE_MS };
        self.exchange.told_at.is_none_or(|told_at| is_past(told_at, pause, now))
    }
}

impl Exchange {
    fn is_stale(&self, now: UnixMillis) -> bool {
        self.told_at.is_none_or(|told_at| is_past(told_at, STALE_MS, now))
    }
}

/// Whether it is so long ago. What is still to come was before the clock was set back, and nobody knows how long.
fn is_past(at: UnixMillis, ms: u64, now: UnixMillis) -> bool {
    at > now || now.since(at) >= ms
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
