//! What one isolate knows of its facilitators' health, and how payments choose among them.
//!
//! Nothing here waits: what this isolate sees counts here at once, what others see comes with the next exchange, and
//! exchanges happen beside payments, never on their way.

use super::{
    jitter::Jitter,
    news::{Known, News, Observation, Snapshot},
    standing::{Event, Hope, Limits, Outcome, Purpose, Standing, step},
};
use crate::{
    UnixMillis,
    facilitator::{Facilitator, Facilitators},
    ledger::Claim,
    seeded::{self, Bug},
    telemetry::Call,
};
use serde_json::value::RawValue;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    mem,
    rc::Rc,
};

/// Pause between exchanges while a facilitator is not healthy, or a failure is not told yet.
pub const EXCHANGE_MS: u64 = 1_000;
/// Pause between exchanges while all is well.
pub const CALM_EXCHANGE_MS: u64 = 10_000;
/// An exchange that has not ended by then is given up: the one that asked may be gone.
const EXCHANGE_LIMIT_MS: u64 = 5_000;
/// The first few come quickly: what the first one sets off, such as asking what is supported, the next ones bring.
const QUICK_EXCHANGES: u32 = 3;
/// A view older than this is out of date: nobody has asked here for so long, or the other side is out of reach.
const STALE_MS: u64 = 10_000;
/// A settle that is a probe has ended so long after its time-out, or whoever waited for it is gone.
const SETTLE_PROBE_GRACE_MS: u64 = 500;
/// Observations kept for the next exchange; beyond it the oldest are dropped, for the newest say most.
const MAX_NEWS: usize = 256;

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
}

/// One facilitator as the board sees it.
struct Desk {
    id: String,
    verify: Limits,
    settle: Limits,
    known: Known,
    specimen: Option<Rc<RawValue>>,
    /// While it gets probes only: when the next payment may be one, by what this board let through already.
    verify_token: UnixMillis,
    settle_token: UnixMillis,
    /// The same for claims that hope for the settle token.
    trial: UnixMillis,
    /// Until when a settle that is a probe is under way. A deadline and not a flag: what waits for it may be gone.
    settle_probe: UnixMillis,
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
    purpose: Purpose,
    at: UnixMillis,
}

impl Board {
    /// `seed` comes from the randomness port.
    #[must_use]
    pub fn new(facilitators: &Facilitators, seed: u64) -> Self {
        let desks = facilitators.iter().map(Desk::new).collect();
        let inner = Inner { desks, news: VecDeque::new(), exchange: Exchange::default() };
        Self { inner: RefCell::new(inner), jitter: Jitter::new(seed) }
    }

    /// Whom to ask for `/verify`: those that can serve the claim and may be used for verify and settle both, the healthy
    /// before the slow. The claim serves as a specimen for probes of the others.
    #[must_use]
    pub fn order(&self, claim: &Claim, now: UnixMillis) -> Order {
        let mut inner = self.inner.borrow_mut();
        let stale = inner.exchange.is_stale(now);
        let (mut order, mut slow) = (Order::default(), Vec::new());
        let specimen: Rc<RawValue> = claim.request.clone().into();
        for id in &claim.facilitators {
            let Some(desk) = inner.desk(id) else { continue };
            desk.specimen = Some(Rc::clone(&specimen));
            if !desk.serves(claim) {
                order.left_out.push((id.clone(), "cannot_serve"));
            } else if !desk.known.is_in_use() || desk.is_slow() && seeded::has(Bug::SlowTakenForDead) {
                order.left_out.push((id.clone(), "quarantined"));
            } else if desk.is_slow() {
                slow.push(id.clone());
            } else {
                order.ask.push(id.clone());
            }
        }
        order.ask.extend(slow);
        if order.ask.is_empty() {
            inner.let_one_try(&mut order, stale, now);
        }
        order
    }

    /// Whom a first `/settle` may go to, best first: whoever verified, unless another one is due to be tried or the
    /// verifier is in trouble by now.
    #[must_use]
    pub fn settle_order(&self, claim: &Claim, verified_by: &str, now: UnixMillis) -> Vec<String> {
        let mut inner = self.inner.borrow_mut();
        let hope = inner.hope(&claim.facilitators);
        let (mut tried_first, mut healthy, mut slow) = (Vec::new(), Vec::new(), Vec::new());
        let verifier_first = claim.facilitators.iter().filter(|id| *id == verified_by);
        let others = claim.facilitators.iter().filter(|id| *id != verified_by);
        let mut last_resort = Vec::new();
        for id in verifier_first.chain(others) {
            let Some(desk) = inner.desk(id).filter(|desk| desk.serves(claim)) else { continue };
            if tried_first.is_empty() && desk.wants_first_settle(hope, now) {
                tried_first.push(id.clone());
            } else if desk.known.is_in_use() {
                if desk.is_slow() { slow.push(id.clone()) } else { healthy.push(id.clone()) }
            } else if id == verified_by && desk.known.settle.standing.is_in_use() {
                last_resort.push(id.clone());
            }
        }
        [tried_first, healthy, slow, last_resort].concat()
    }

    /// From when on the facilitator may be asked again about a settlement whose answer was lost: now, unless its settle
    /// gets probes only and this back-off's probe is taken.
    #[must_use]
    pub fn may_ask_again_at(&self, facilitator: &str, now: UnixMillis) -> UnixMillis {
        let mut inner = self.inner.borrow_mut();
        let hope = inner.hope_at_all();
        match inner.desk(facilitator) {
            Some(desk) if !desk.known.settle.standing.is_in_use() => {
                let at = desk.token_at(Call::Settle, hope).max(now);
                // Many payments may wait for one token: they come back one after the other.
                if at > now { at.plus((self.jitter.unit() * EXCHANGE_MS as f64) as u64) } else { at }
            }
            _ => now,
        }
    }

    /// A call goes out.
    pub fn begin(&self, facilitator: &str, call: Call, now: UnixMillis) -> Begun {
        let mut inner = self.inner.borrow_mut();
        let hope = inner.hope_at_all();
        let purpose = inner.desk(facilitator).map_or(Purpose::Use, |desk| desk.begin(call, hope, now));
        Begun { facilitator: facilitator.to_owned(), call, purpose, at: now }
    }

    /// It ended. No outcome: it says nothing of the facilitator.
    pub fn ended(&self, begun: Begun, outcome: Option<Outcome>, now: UnixMillis) {
        let Begun { facilitator, call, purpose, at } = begun;
        let mut inner = self.inner.borrow_mut();
        if let Some(desk) = inner.desk(&facilitator).filter(|_| call == Call::Settle && purpose != Purpose::Use) {
            desk.settle_probe = UnixMillis(0);
        }
        let Some(outcome) = outcome else { return };
        let event = Event { purpose, began: at, ms: now.since(at), outcome };
        let observation = Observation { facilitator, call, event };
        inner.apply(&observation, now, &self.jitter);
        if inner.news.len() >= MAX_NEWS {
            inner.news.pop_front();
        }
        inner.news.push_back(observation);
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
        let specimen = |desk: &Desk| Some((desk.id.clone(), RawValue::to_owned(desk.specimen.as_deref()?)));
        // One by one, here and wherever a map of few is filled: collecting would bring a sort into the wasm for each map.
        let mut specimens = BTreeMap::new();
        specimens.extend(wanted.filter_map(specimen));
        Some(News { observations, specimens })
    }

    /// What everybody saw together, and on top of it what happened here since the news were sent.
    pub fn merge(&self, snapshot: Snapshot, now: UnixMillis) {
        let mut inner = self.inner.borrow_mut();
        let told = inner.exchange.told.saturating_add(1);
        inner.exchange = Exchange { told_at: Some(now), failed_at: None, told, under_way: None };
        for (id, known) in snapshot.facilitators {
            if let Some(desk) = inner.desk(&id).filter(|_| !seeded::has(Bug::HealthNotMerged)) {
                desk.known = known;
            }
        }
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

    fn apply(&mut self, observation: &Observation, now: UnixMillis, jitter: &Jitter) {
        let Some(desk) = self.desk(&observation.facilitator) else { return };
        let limits = desk.limits(observation.call);
        let health = desk.known.of_mut(observation.call);
        *health = step(mem::take(health), &observation.event, limits, now, jitter.unit());
    }

    /// Nobody is left: one payment may see whether a facilitator is back, where probes cannot or do not tell us.
    fn let_one_try(&mut self, order: &mut Order, stale: bool, now: UnixMillis) {
        for position in 0..order.left_out.len() {
            let (id, why) = &order.left_out[position];
            let Some(desk) = self.desks.iter_mut().find(|desk| desk.id == *id && *why == "quarantined") else {
                continue;
            };
            let may = if stale { desk.may_try_blindly(now) } else { desk.may_hope_for_settle(now) };
            if may {
                let (id, _) = order.left_out.remove(position);
                order.ask.push(id);
                return;
            }
        }
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        if self.exchange.under_way.as_ref().is_some_and(|(_, until)| now < *until)
            || self.exchange.failed_at.is_some_and(|failed_at| now.since(failed_at) < EXCHANGE_MS)
        {
            return false;
        }
        let calm = self.exchange.told >= QUICK_EXCHANGES
            && self.desks.iter().all(Desk::is_calm)
            && self.news.iter().all(|observation| observation.event.is_everyday());
        let pause = if calm { CALM_EXCHANGE_MS } else { EXCHANGE_MS };
        self.exchange.told_at.is_none_or(|told_at| now.since(told_at) >= pause)
    }
}

impl Exchange {
    fn is_stale(&self, now: UnixMillis) -> bool {
        self.told_at.is_none_or(|told_at| now.since(told_at) >= STALE_MS)
    }
}

impl Desk {
    fn new(facilitator: &Facilitator) -> Self {
        Self {
            id: facilitator.id.clone(),
            verify: facilitator.limits(Call::Verify),
            settle: facilitator.limits(Call::Settle),
            known: Known::default(),
            specimen: None,
            verify_token: UnixMillis(0),
            settle_token: UnixMillis(0),
            trial: UnixMillis(0),
            settle_probe: UnixMillis(0),
        }
    }

    fn limits(&self, call: Call) -> Limits {
        match call {
            Call::Verify => self.verify,
            Call::Settle => self.settle,
        }
    }

    /// What it does not list it cannot serve; as long as it has not answered, it may.
    fn serves(&self, claim: &Claim) -> bool {
        let supported = self.known.supported.as_ref();
        supported.is_none_or(|supported| supported.serves(claim.version, Claim::SCHEME, claim.network))
            || seeded::has(Bug::UnsupportedAsked)
    }

    fn is_slow(&self) -> bool {
        [&self.known.verify, &self.known.settle].iter().any(|health| health.standing != Standing::Healthy)
    }

    fn is_calm(&self) -> bool {
        !self.is_slow()
    }

    /// When the next probe by a payment may go out.
    fn token_at(&self, call: Call, hope: Hope) -> UnixMillis {
        let taken = match call {
            Call::Verify => self.verify_token,
            Call::Settle => self.settle_token,
        };
        let under_way = match (call, hope) {
            // One that hangs would be joined by another each back-off, and tells as much alone. Unless nobody else is left.
            (Call::Settle, Hope::Others) => self.settle_probe,
            (Call::Settle, Hope::None) | (Call::Verify, _) => taken,
        };
        match self.known.of(call).standing.retry() {
            None => taken,
            Some(retry) => retry.at(hope).max(taken).max(under_way),
        }
    }

    fn begin(&mut self, call: Call, hope: Hope, now: UnixMillis) -> Purpose {
        let standing = self.known.of(call).standing.clone();
        let Some(retry) = standing.retry() else { return Purpose::Use };
        // Taken until the back-off has run once more: by then its answer has set another one.
        let taken = now.plus(retry.interval_ms(hope));
        match call {
            Call::Verify => self.verify_token = taken,
            Call::Settle => self.settle_token = taken,
        }
        match standing {
            Standing::Healthy | Standing::Degraded(_) => Purpose::Use,
            Standing::Quarantined(_) | Standing::Probing { .. } => {
                if call == Call::Settle {
                    self.settle_probe = now.plus(self.settle.timeout_ms + SETTLE_PROBE_GRACE_MS);
                }
                hope.purpose_of_a_probe()
            }
        }
    }

    /// Settlements whose answer was lost probe a quarantined settle. Where none is waiting to be asked about, the probe
    /// lies unclaimed for a second back-off, and a first settlement may be it: nothing else would ever tell.
    fn wants_first_settle(&self, hope: Hope, now: UnixMillis) -> bool {
        let standing = &self.known.settle.standing;
        let Some(retry) = standing.retry().filter(|_| self.known.verify.standing.is_in_use()) else { return false };
        let spare = if standing.is_in_use() { 0 } else { retry.interval_ms(hope) };
        now >= self.token_at(Call::Settle, hope).plus(spare)
    }

    /// One claim per back-off is let through to settle as a probe.
    fn may_hope_for_settle(&mut self, now: UnixMillis) -> bool {
        let may = now >= self.trial && self.wants_first_settle(Hope::None, now);
        if let (true, Some(retry)) = (may, self.known.settle.standing.retry()) {
            self.trial = now.plus(retry.interval_ms(Hope::None));
        }
        may
    }

    fn may_try_blindly(&self, now: UnixMillis) -> bool {
        let in_use = |call| self.known.of(call).standing.is_in_use();
        [Call::Verify, Call::Settle].iter().all(|call| in_use(*call) || now >= self.token_at(*call, Hope::None))
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
