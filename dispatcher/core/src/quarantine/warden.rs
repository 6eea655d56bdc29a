//! An isolate's copy of the list, and its own count of failures: what is due to the one object, and what policy does.

use super::{
    burns::Burns,
    list::{POLICY, Quarantine, QuarantineCall, Quarantines},
};
use crate::{admission::Origin, telemetry::Alert, tenant::Tenant, tenant_failure::TenantFailure, within::within};
use std::cell::RefCell;
use x402_paywall::{
    UnixMillis,
    ports::{Clock, LedgerError},
};

/// How old an isolate's copy may be: so long a quarantine may take to be everywhere. One call a pause and isolate, beside
/// answers.
const ASK_EVERY_MS: u64 = 5_000;
/// How long the object may take to answer: a few times what it does from another continent. What an isolate's first requests
/// wait at most, for an object that hangs.
const ANSWER_WITHIN_MS: u64 = 2_000;
/// Until the object that did not answer is asked again. Meanwhile the last list counts, or none: whoever has done nothing must
/// not stand still because a list cannot be read.
pub(super) const RETRY_MS: u64 = 1_000;
/// How long policy puts a tenant away. An operator does so for as long as it takes.
const BY_POLICY_MS: u64 = 600_000;
/// Scripts whose runs are watched at once; of one more, the longest unused is forgotten.
const MAX_COUNTED: usize = 256;

/// The fate of a script that runs out of CPU time again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CpuPolicy {
    /// `alert`: it is told.
    #[default]
    Alert,
    /// `quarantine`: it is told, and put away for ten minutes.
    Quarantine,
}

/// An isolate's view.
#[derive(Debug, Default)]
pub struct Warden {
    policy: CpuPolicy,
    pub(super) seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) quarantines: Quarantines,
    asked: Option<UnixMillis>,
    /// Somebody has told it.
    is_known: bool,
    failed: Option<UnixMillis>,
    /// To be told to the one object.
    new: Vec<Quarantine>,
    /// The latest last.
    burns: Vec<Burns>,
}

/// The message that is due to the one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    Ask,
    Put(Quarantine),
}

impl Errand {
    #[must_use]
    pub fn call(&self) -> QuarantineCall {
        match self {
            Self::Ask => QuarantineCall::List,
            Self::Put(quarantine) => QuarantineCall::PutByPolicy(quarantine.clone()),
        }
    }
}

impl Warden {
    #[must_use]
    pub fn new(policy: CpuPolicy) -> Self {
        Self { policy, seen: RefCell::default() }
    }

    /// Takes how a run ended, that a caller had asked a path for.
    pub fn ran(
        &self,
        tenant: &Tenant,
        (caller, path): (Origin, u32),
        failure: Option<TenantFailure>,
        now: UnixMillis,
    ) -> Option<Alert> {
        let seen = &mut *self.seen.borrow_mut();
        let at = seen.burns.iter().position(|burns| burns.tenant_id == tenant.id);
        let new = || Burns::of(&tenant.id);
        let mut burns = at.map_or_else(new, |at| seen.burns.remove(at));
        if seen.burns.len() == MAX_COUNTED {
            seen.burns.remove(0);
        }
        let is_away = seen.quarantines.has(&tenant.id, now);
        let too_many = match failure {
            Some(TenantFailure::CpuLimit) if !is_away => burns.burnt(caller, path, now),
            None if !is_away => {
                burns.ended_well(path, now);
                false
            }
            _ => {
                burns.callers.clear();
                false
            }
        };
        let is_well_elsewhere = burns.is_well_elsewhere(now);
        let in_a_row = burns.callers.len() as u32;
        if too_many {
            burns.callers.clear();
        }
        seen.burns.push(burns);
        if !too_many {
            return None;
        }
        let until = now.plus(BY_POLICY_MS);
        let is_put_away = self.policy == CpuPolicy::Quarantine && !is_well_elsewhere;
        if is_put_away {
            let quarantine = Quarantine {
                tenant_id: tenant.id.clone(),
                reason: "its Worker ran out of CPU time again and again".to_owned(),
                author: POLICY.to_owned(),
                until_ms: Some(until),
            };
            seen.quarantines.put(quarantine.clone(), now);
            seen.new.push(quarantine);
        }
        Some(Alert {
            alert: "tenant_cpu_limit".into(),
            tenant_id: Some(tenant.id.clone()),
            script: Some(tenant.script.as_str().to_owned()),
            in_a_row: Some(in_a_row),
            quarantined_until_ms: is_put_away.then_some(until.0),
            ..Alert::default()
        })
    }

    /// Tells or asks the one object, by `send`, and takes in what it says. Whoever waits for that, waits [`ANSWER_WITHIN_MS`] at most.
    pub async fn tell(
        &self,
        call: QuarantineCall,
        clock: &impl Clock,
        send: impl AsyncFnOnce(QuarantineCall) -> Result<Quarantines, LedgerError>,
    ) -> Result<Quarantines, LedgerError> {
        if let QuarantineCall::Lift(id) = &call {
            // What is still to be told here is from before.
            self.seen.borrow_mut().new.retain(|new| new.tenant_id != *id);
        }
        let silent = || LedgerError(format!("the list of quarantines did not come within {ANSWER_WITHIN_MS} ms"));
        let list = within(ANSWER_WITHIN_MS, clock, send(call)).await.unwrap_or_else(|| Err(silent()))?;
        self.learn(list.clone(), clock.now());
        Ok(list)
    }

    /// Sees to an errand. Where nobody answers, the last list stays in force, or none: the error is for the log.
    pub async fn run(
        &self,
        errand: Errand,
        clock: &impl Clock,
        send: impl AsyncFnOnce(QuarantineCall) -> Result<Quarantines, LedgerError>,
    ) -> Result<(), LedgerError> {
        let told = self.tell(errand.call(), clock, send).await;
        told.map(drop).inspect_err(|_| self.failed(errand, clock.now()))
    }

    /// The errand that a request must wait for: nobody has told this isolate yet who is in quarantine. Each that comes
    /// meanwhile asks
    /// for itself, because none may wait for another's call; and once one has waited in vain, the next go on without: what
    /// they would wait for is asked for beside their answers.
    #[must_use]
    pub fn first(&self) -> Option<Errand> {
        let seen = self.seen.borrow();
        (!seen.is_known && seen.failed.is_none()).then_some(Errand::Ask)
    }

    /// Takes back what could not be told or asked.
    pub(super) fn failed(&self, errand: Errand, now: UnixMillis) {
        let seen = &mut *self.seen.borrow_mut();
        seen.failed = Some(now);
        if let Errand::Put(new) = errand {
            seen.new.push(new);
        }
    }

    /// Each is handed out once.
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Option<Errand> {
        let seen = &mut *self.seen.borrow_mut();
        if seen.failed.is_some_and(|failed| now.since(failed) < RETRY_MS) {
            return None;
        }
        let tries_again = seen.failed.is_some();
        if tries_again {
            // Others wait for how this one ends, or an object in trouble would be asked by every request.
            seen.failed = Some(now);
        }
        seen.new.retain(|new| new.holds(now));
        if let Some(new) = seen.new.pop() {
            return Some(Errand::Put(new));
        }
        let is_due = tries_again || seen.asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY_MS);
        is_due.then(|| {
            seen.asked = Some(now);
            Errand::Ask
        })
    }

    /// Takes the one object's list.
    pub(super) fn learn(&self, quarantines: Quarantines, now: UnixMillis) {
        let seen = &mut *self.seen.borrow_mut();
        seen.quarantines = quarantines;
        seen.asked = Some(now);
        (seen.is_known, seen.failed) = (true, None);
        // What is on its way there counts here already.
        for new in &seen.new {
            seen.quarantines.put_by_policy(new.clone(), now);
        }
    }
}
