//! The one place that merges what all isolates see of facilitators, decides for all of them, and does what needs no
//! payment: probing a quarantined `/verify` and fetching `/supported`.
//!
//! A probe is a payment that was answered soundly once. Without one, `/supported` tells at least whether anybody is there.
//!
//! One monitor per deployment, on one thread. Nothing on a payment's way waits for it. Storage keeps the standings over a
//! restart; averages are stored with them and no oftener, for their sake alone a write is not worth it.

use super::{
    jitter::Jitter,
    news::{Known, News, Observation, Snapshot},
    regulars,
    standing::{Event, Hope, Limits, Outcome, Purpose, step},
    witness::Grade,
};
use crate::{
    UnixMillis,
    facilitator::transport::FacilitatorTransport,
    facilitator::{
        Facilitator, Facilitators, Supported, ask,
        supported::{SUPPORTED_RETRY_MS, SUPPORTED_TTL_MS},
    },
    health::store::{HealthLog, HealthStore},
    ledger_error::LedgerError,
    telemetry::{Call, FacilitatorAlert, StandingChange},
    time::Clock,
};
use serde_json::value::RawValue;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// `/supported` is a short list, and nobody waits for it.
const SUPPORTED_TIMEOUT_MS: u64 = 5_000;
/// Shortest time between two looks for a sign of life. Whoever is back is found out sooner by the payments that are let
/// through.
const SIGN_OF_LIFE_MS: u64 = 30_000;
const NO_SIGN_OF_LIFE: &str = "no_sign_of_life";
/// Payments to probe one facilitator with.
const SPECIMENS_KEPT: usize = 3;
/// An alert is told again after so long.
const ALERT_AGAIN_MS: u64 = 600_000;

pub struct Monitor<S, T, C, L> {
    store: S,
    transport: T,
    clock: C,
    log: L,
    facilitators: Facilitators,
    jitter: Jitter,
    /// The view as far as it was read from the store.
    snapshot: RefCell<Option<Snapshot>>,
    /// Jobs that were begun and have not ended, with when they are given up.
    running: RefCell<BTreeMap<Job, UnixMillis>>,
    /// Verify requests for each facilitator that was in need of one, the next one to be sent first. Not stored: they hold
    /// signed payments.
    specimens: RefCell<BTreeMap<String, Vec<Box<RawValue>>>>,
    /// When `/supported` was last asked for.
    supported_asked: RefCell<BTreeMap<String, UnixMillis>>,
    /// When each facilitator's alerts were last told.
    alerted: RefCell<Vec<(String, &'static str, UnixMillis)>>,
    wakes_at: Cell<Option<UnixMillis>>,
}

/// Something to do beside: give it to [`Monitor::run`], without making anybody wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    Probe(String),
    Supported(String),
}

impl<S: HealthStore, T: FacilitatorTransport, C: Clock, L: HealthLog> Monitor<S, T, C, L> {
    /// `seed` comes from the randomness port.
    pub fn new(store: S, transport: T, clock: C, log: L, facilitators: Facilitators, seed: u64) -> Self {
        Self {
            store,
            transport,
            clock,
            log,
            facilitators,
            jitter: Jitter::new(seed),
            snapshot: RefCell::default(),
            running: RefCell::default(),
            specimens: RefCell::default(),
            supported_asked: RefCell::default(),
            alerted: RefCell::default(),
            wakes_at: Cell::default(),
        }
    }

    /// A board tells what it saw, and gets what everybody saw.
    pub async fn exchange(&self, news: News) -> Result<(Snapshot, Vec<Job>), LedgerError> {
        self.load().await?;
        for (id, specimen) in news.specimens {
            if self.facilitators.by_id(&id).is_some() {
                self.take_specimen(id, specimen);
            }
        }
        let now = self.clock.now();
        for payer in news.regulars {
            let mut snapshot = self.snapshot.borrow_mut();
            snapshot.get_or_insert_default().regulars.add(payer, now, regulars::TOLD);
        }
        let mut changed = false;
        for observation in &news.observations {
            changed |= self.observe(observation, now);
        }
        self.save_if(changed).await?;
        let mut jobs = self.start_probes(now);
        jobs.extend(self.start_supported(now));
        self.schedule(now).await?;
        Ok((self.snapshot(), jobs))
    }

    /// The alarm rang.
    pub async fn woke(&self) -> Result<Vec<Job>, LedgerError> {
        self.load().await?;
        self.wakes_at.set(None);
        let now = self.clock.now();
        let jobs = self.start_probes(now);
        self.schedule(now).await?;
        Ok(jobs)
    }

    pub async fn run(&self, job: Job) -> Result<(), LedgerError> {
        let changed = match &job {
            Job::Probe(id) => self.probe(id).await,
            Job::Supported(id) => self.fetch_supported(id).await,
        };
        self.running.borrow_mut().remove(&job);
        self.save_if(changed).await?;
        self.schedule(self.clock.now()).await
    }

    /// The present view, for operators.
    pub async fn known(&self) -> Result<Snapshot, LedgerError> {
        self.load().await?;
        Ok(self.snapshot())
    }

    /// Returns whether the standing changed.
    async fn probe(&self, id: &str) -> bool {
        let Some(facilitator) = self.facilitators.by_id(id) else { return false };
        let specimen = self.specimens.borrow().get(id).and_then(|specimens| specimens.first().cloned());
        let Some(specimen) = specimen else { return self.look_for_life(facilitator).await };
        let purpose = Hope::of(self.snapshot().facilitators.values()).purpose_of_a_probe();
        let began = self.clock.now();
        let (outcome, said) = ask::probe(facilitator, &specimen, &self.transport).await;
        if outcome != Outcome::Answered
            && let Some(specimens) = self.specimens.borrow_mut().get_mut(id)
        {
            // This payment may be why: the next probe is another's.
            specimens.rotate_left(1);
        }
        self.note_probe(id, purpose, began, outcome, said)
    }

    fn take_specimen(&self, id: String, specimen: Box<RawValue>) {
        let mut specimens = self.specimens.borrow_mut();
        let known = specimens.entry(id).or_default();
        if known.iter().all(|other| other.get() != specimen.get()) {
            known.push(specimen);
            let extra = known.len().saturating_sub(SPECIMENS_KEPT);
            known.drain(..extra);
        }
    }

    /// Without a payment to probe it with: whether anybody is there.
    async fn look_for_life(&self, facilitator: &Facilitator) -> bool {
        let (id, began) = (&facilitator.id, self.clock.now());
        self.supported_asked.borrow_mut().insert(id.clone(), began);
        let body = ask::supported(facilitator, SUPPORTED_TIMEOUT_MS, &self.transport).await;
        let outcome = match body.and_then(|body| Supported::parse(&body, self.clock.now())) {
            Some(supported) => {
                self.change(id, |known| known.supported = Some(supported));
                Outcome::Answered
            }
            None => Outcome::Failed(NO_SIGN_OF_LIFE.to_owned()),
        };
        self.note_probe(id, Purpose::SignOfLife, began, outcome, None)
    }

    fn note_probe(
        &self,
        id: &str,
        purpose: Purpose,
        began: UnixMillis,
        outcome: Outcome,
        said: Option<String>,
    ) -> bool {
        let now = self.clock.now();
        let event = Event { purpose, began, ms: now.since(began), outcome, witness: None, said, retold: false };
        self.observe(&Observation { facilitator: id.to_owned(), call: Call::Verify, event }, now)
    }

    /// Returns whether there is something new. An answer that is none changes nothing: the last good one is kept.
    async fn fetch_supported(&self, id: &str) -> bool {
        let Some(facilitator) = self.facilitators.by_id(id) else { return false };
        let began = self.clock.now();
        let body = ask::supported(facilitator, SUPPORTED_TIMEOUT_MS, &self.transport).await;
        let Some(supported) = body.and_then(|body| Supported::parse(&body, self.clock.now())) else {
            // The same question as a look for life. Where payments have failed as well, so has that.
            let is_in_doubt =
                self.snapshot().facilitators.get(id).is_some_and(|known| known.verify.standing.retry().is_some());
            let nobody = Outcome::Failed(NO_SIGN_OF_LIFE.to_owned());
            return is_in_doubt && self.note_probe(id, Purpose::SignOfLife, began, nobody, None);
        };
        self.change(id, |known| known.supported = Some(supported));
        true
    }

    fn observe(&self, observation: &Observation, now: UnixMillis) -> bool {
        let Observation { facilitator: id, call, event } = observation;
        let Some(facilitator) = self.facilitators.by_id(id) else { return false };
        let mut change = None;
        self.change(id, |known| {
            let health = known.of_mut(*call);
            let before = health.standing.name();
            *health = step(std::mem::take(health), event, Limits::of(facilitator, *call), now, self.jitter.unit());
            let after = health.standing.name();
            change = (before != after).then(|| StandingChange {
                facilitator: id.clone(),
                call: *call,
                from: before.into(),
                to: after.into(),
                reason: match &event.outcome {
                    Outcome::Answered => "answered".to_owned(),
                    Outcome::Failed(reason) => reason.clone(),
                },
                said: event.said.clone(),
            });
        });
        if let Some(change) = &change {
            self.log.record(change);
        }
        self.alert_of(observation, change.as_ref(), now);
        change.is_some()
    }

    /// Tells what only an operator can mend: a facilitator that is there and takes nothing from us. A stranger may bring
    /// about a refusal, so its word alone raises no alert.
    fn alert_of(&self, observation: &Observation, change: Option<&StandingChange>, now: UnixMillis) {
        let Observation { facilitator, call, event } = observation;
        let Outcome::Failed(reason) = &event.outcome else { return };
        let got_worse = change.is_some_and(|change| change.to == "quarantined" || change.to == "degraded");
        let is_known = event.witness.is_none_or(|witness| witness.grade != Grade::Stranger);
        let alert = match reason.as_str() {
            "http_401" | "http_403" if is_known || got_worse => "credentials_refused",
            "redirect" if got_worse => "facilitator_refuses_all",
            reason if reason.starts_with("http_4") && reason != "http_429" && got_worse => "facilitator_refuses_all",
            _ => return,
        };
        let mut alerted = self.alerted.borrow_mut();
        alerted.retain(|(.., at)| now.since(*at) < ALERT_AGAIN_MS);
        if alerted.iter().any(|(id, told, _)| id == facilitator && *told == alert) {
            return;
        }
        alerted.push((facilitator.clone(), alert, now));
        let (facilitator, reason, said) = (facilitator.clone(), reason.clone(), event.said.clone());
        self.log.alert(&FacilitatorAlert { alert: alert.into(), facilitator, call: *call, reason, said });
    }

    fn start_probes(&self, now: UnixMillis) -> Vec<Job> {
        let snapshot = self.snapshot();
        let hope = Hope::of(snapshot.facilitators.values());
        let due = snapshot
            .facilitators
            .iter()
            .filter(|(id, known)| self.probe_at(id, known, hope, now).is_some_and(|at| at <= now));
        let jobs = due.map(|(id, _)| Job::Probe(id.clone())).collect();
        self.begin(jobs, now)
    }

    /// When the next probe of `/verify` is due, if one is. One that is in use, and asked after the others, is probed with a
    /// payment or not at all.
    fn probe_at(&self, id: &str, known: &Known, hope: Hope, now: UnixMillis) -> Option<UnixMillis> {
        let at = known.verify.standing.retry()?.due(hope, now);
        if self.specimens.borrow().contains_key(id) {
            return Some(at);
        }
        let asked = self.supported_asked.borrow().get(id).copied().unwrap_or_default();
        Some(at.max(asked.plus(SIGN_OF_LIFE_MS)))
    }

    fn start_supported(&self, now: UnixMillis) -> Vec<Job> {
        let snapshot = self.snapshot();
        let mut asked = self.supported_asked.borrow_mut();
        let mut jobs = Vec::new();
        for (id, known) in &snapshot.facilitators {
            let old = known.supported.as_ref().is_none_or(|supported| now.since(supported.at) >= SUPPORTED_TTL_MS);
            let may = asked.get(id).is_none_or(|at| now.since(*at) >= SUPPORTED_RETRY_MS);
            if old && may {
                asked.insert(id.clone(), now);
                jobs.push(Job::Supported(id.clone()));
            }
        }
        self.begin(jobs, now)
    }

    /// Returns those of `jobs` that are not under way already.
    fn begin(&self, jobs: Vec<Job>, now: UnixMillis) -> Vec<Job> {
        let mut running = self.running.borrow_mut();
        let begun = |job: &Job| {
            let limit = now.plus(self.job_limit_ms(job));
            let free = running.get(job).is_none_or(|until| *until <= now);
            if free {
                running.insert(job.clone(), limit);
            }
            free
        };
        let mut begun = begun;
        jobs.into_iter().filter(|job| begun(job)).collect()
    }

    /// A job of which nothing was heard for so long has died with whatever ran it.
    fn job_limit_ms(&self, job: &Job) -> u64 {
        match job {
            Job::Probe(id) => 2 * self.facilitators.by_id(id).map_or(0, |facilitator| facilitator.verify_timeout_ms),
            Job::Supported(_) => 2 * SUPPORTED_TIMEOUT_MS,
        }
    }

    /// Sees to it that the next probe goes out though nobody exchanges.
    async fn schedule(&self, now: UnixMillis) -> Result<(), LedgerError> {
        let snapshot = self.snapshot();
        let hope = Hope::of(snapshot.facilitators.values());
        let running = self.running.borrow().clone();
        let probe_at = |(id, known): (&String, &Known)| {
            let at = self.probe_at(id, known, hope, now)?;
            let busy_until = running.get(&Job::Probe(id.clone())).copied().unwrap_or(now);
            Some(at.max(busy_until))
        };
        let Some(at) = snapshot.facilitators.iter().filter_map(probe_at).min() else { return Ok(()) };
        if self.wakes_at.get() != Some(at) {
            self.wakes_at.set(Some(at));
            self.store.wake_at(at).await?;
        }
        Ok(())
    }

    async fn load(&self) -> Result<(), LedgerError> {
        if self.snapshot.borrow().is_some() {
            return Ok(());
        }
        let mut stored = self.store.load().await?.unwrap_or_default();
        let known = |facilitator: &Facilitator| {
            let known = stored.facilitators.remove(&facilitator.id).unwrap_or_default();
            (facilitator.id.clone(), known)
        };
        let mut facilitators = BTreeMap::new();
        facilitators.extend(self.facilitators.iter().map(known));
        // Another call may have read it meanwhile, and gone on from there.
        self.snapshot.borrow_mut().get_or_insert(Snapshot { facilitators, regulars: stored.regulars });
        Ok(())
    }

    async fn save_if(&self, changed: bool) -> Result<(), LedgerError> {
        if changed { self.store.save(&self.snapshot()).await } else { Ok(()) }
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.borrow().clone().unwrap_or_default()
    }

    fn change(&self, id: &str, how: impl FnOnce(&mut Known)) {
        let mut snapshot = self.snapshot.borrow_mut();
        how(snapshot.get_or_insert_default().facilitators.entry(id.to_owned()).or_default());
    }
}

#[cfg(test)]
#[path = "monitor_tests.rs"]
mod tests;
