//! Tenants that must not do harm while someone looks: put there by an operator, at once and without a deploy, or by policy
//! after their Worker ran out of CPU time again and again. They run under the plan `quarantine`.
//!
//! One object of the deployment has the list, each isolate a copy, and a count of failures of its own: pure, bytes and times
//! in, limits and errands out.

use crate::{
    admission::Origin,
    plan::{Limits, Plan, Rates},
    telemetry::Alert,
    tenant::Tenant,
    tenant_failure::TenantFailure,
    within::within,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{cell::RefCell, future::Future};
use x402_paywall::{
    UnixMillis,
    ports::{Clock, LedgerError},
};
use x402_protocol::json;

/// How old an isolate's copy may be: so long a quarantine may take to be everywhere. One call a pause and isolate, beside
/// answers.
const ASK_EVERY_MS: u64 = 5_000;
/// How long the object may take to answer: a few times what it does from another continent. What an isolate's first requests
/// wait at most, for an object that hangs.
const ANSWER_WITHIN_MS: u64 = 2_000;
/// Until the object that did not answer is asked again. Meanwhile the last list counts, or none: whoever has done nothing must
/// not stand still because a list cannot be read.
const RETRY_MS: u64 = 1_000;
/// Bounds what each isolate reads at each call. Who would put more tenants away at once has a plan to change, not a list.
const MAX_QUARANTINED: usize = 500;
/// The share of policy among these, so that no number of Workers that burn leaves an operator without room.
const MAX_BY_POLICY: usize = 250;
const POLICY: &str = "policy";
const MAX_TEXT_BYTES: usize = 200;
/// Callers in a row whose runs ended over the CPU limit. One may be bad luck, or a caller that asks for what burns; a script
/// that the platform has condemned fails for everybody, and for ever.
const CPU_FAILURES_IN_A_ROW: usize = 5;
/// The time that a row takes at least: whoever has the callers for one can send it in a moment, and other callers would have
/// no chance to show that the script is well.
const ROW_MS: u64 = 3_000;
/// The time for which a path that ended well speaks for the script. What another path burns is then no reason to put it away.
const WELL_MS: u64 = 600_000;
/// How long policy puts a tenant away. An operator does so for as long as it takes.
const BY_POLICY_MS: u64 = 600_000;
/// Scripts whose runs are watched at once; of one more, the longest unused is forgotten.
const MAX_COUNTED: usize = 256;

/// One tenant's quarantine, as the list keeps it. Read leniently, for a later version may have written it, and a list that
/// cannot be read is nobody's quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    #[serde(default)]
    pub tenant_id: String,
    pub reason: String,
    pub author: String,
    /// `None`: until it is lifted.
    #[serde(default)]
    pub until_ms: Option<UnixMillis>,
}

impl Quarantine {
    /// Reads a quarantine as an operator asks for it; the error says what is wrong.
    pub fn asked_for(tenant_id: &str, json: &str, now: UnixMillis) -> Result<Self, String> {
        let asked: Self = json::read(json).map_err(|error| error.to_string())?;
        // A misspelt end would be none.
        let keys: Value = json::read(json).map_err(|error| error.to_string())?;
        let mut keys = keys.as_object().into_iter().flat_map(Map::keys);
        if let Some(unknown) = keys.find(|key| !["reason", "author", "until_ms"].contains(&key.as_str())) {
            return Err(format!("there is no {unknown:?}, but reason, author, until_ms and force"));
        }
        for (key, text) in [("reason", &asked.reason), ("author", &asked.author)] {
            if !(1..=MAX_TEXT_BYTES).contains(&text.len()) {
                return Err(format!("{key} has {} bytes, and must have 1 to {MAX_TEXT_BYTES}", text.len()));
            }
        }
        // Seconds in the place of milliseconds would look as if it were in force.
        if let Some(UnixMillis(past)) = asked.until_ms.filter(|until| *until <= now) {
            return Err(format!("until_ms is {past}, which is past; it is in milliseconds of the Unix epoch"));
        }
        Ok(Self { tenant_id: tenant_id.to_owned(), ..asked })
    }

    fn holds(&self, now: UnixMillis) -> bool {
        self.until_ms.is_none_or(|until| now < until)
    }
}

/// The message to the one object; it always answers with the whole list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineCall {
    List,
    Put(Quarantine),
    Lift(String),
    /// Changes nothing of a quarantine that is in force.
    PutByPolicy(Quarantine),
}

/// The one object that knows who is in quarantine.
pub trait QuarantineObject {
    /// Returns the whole list as it is after the call.
    fn call(&self, call: QuarantineCall) -> impl Future<Output = Result<Quarantines, LedgerError>>;
}

/// An operator's quarantine finds no room in the list.
#[derive(Debug)]
pub struct ListFull;

/// Everybody who is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantines(Vec<Quarantine>);

impl Quarantines {
    /// Takes a call to the one object. `true`: it is another list now, to be stored before anyone is told.
    pub fn take(&mut self, call: QuarantineCall, now: UnixMillis) -> Result<bool, ListFull> {
        match call {
            QuarantineCall::List => return Ok(false),
            QuarantineCall::Put(new) => {
                if !self.put(new, now) {
                    return Err(ListFull);
                }
            }
            QuarantineCall::PutByPolicy(new) => {
                // Without room nothing is put, which the alert has told; an error would have it tried again for ever.
                self.put_by_policy(new, now);
            }
            QuarantineCall::Lift(tenant_id) => self.lift(&tenant_id),
        }
        Ok(true)
    }

    /// `false`: there is no room.
    fn put(&mut self, new: Quarantine, now: UnixMillis) -> bool {
        self.0.retain(|old| old.holds(now) && old.tenant_id != new.tenant_id);
        let policys = |old: &Quarantine| old.author == POLICY;
        let room = if policys(&new) {
            self.0.iter().filter(|old| policys(old)).count() < MAX_BY_POLICY
        } else {
            self.0.len() < MAX_QUARANTINED
        };
        if room {
            self.0.push(new);
        }
        room
    }

    /// Puts like `put`, but what is in force stays as it is: an operator's quarantine must not end with policy's ten
    /// minutes.
    fn put_by_policy(&mut self, new: Quarantine, now: UnixMillis) -> bool {
        self.has(&new.tenant_id, now) || self.put(new, now)
    }

    fn lift(&mut self, tenant_id: &str) {
        self.0.retain(|old| old.tenant_id != tenant_id);
    }

    #[must_use]
    pub fn has(&self, tenant_id: &str, now: UnixMillis) -> bool {
        self.0.iter().any(|quarantine| quarantine.tenant_id == tenant_id && quarantine.holds(now))
    }
}

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
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    quarantines: Quarantines,
    asked: Option<UnixMillis>,
    /// Somebody has told it.
    is_known: bool,
    failed: Option<UnixMillis>,
    /// To be told to the one object.
    new: Vec<Quarantine>,
    /// The latest last.
    burns: Vec<Burns>,
}

/// The knowledge of one script's CPU time.
#[derive(Debug, Default)]
struct Burns {
    tenant_id: String,
    /// The callers over its limit, since the last run that ended otherwise.
    callers: Vec<Origin>,
    since: UnixMillis,
    /// The latest path that ended well, and whether it is one of those that they called.
    well: Option<(u32, UnixMillis)>,
    burns_what_was_well: bool,
}

impl Burns {
    fn ended_well(&mut self, path: u32, now: UnixMillis) {
        self.callers.clear();
        self.well = Some((path, now));
    }

    /// `true`: these are too many in a row.
    fn burnt(&mut self, caller: Origin, path: u32, now: UnixMillis) -> bool {
        if self.callers.is_empty() {
            (self.since, self.burns_what_was_well) = (now, false);
        }
        self.burns_what_was_well |= self.well.is_some_and(|(well, _)| well == path);
        if !self.callers.iter().any(|other| caller.is_the_caller_of(*other)) {
            self.callers.push(caller);
        }
        self.callers.len() >= CPU_FAILURES_IN_A_ROW && now.since(self.since) >= ROW_MS
    }

    /// Whether another path than those that burn was well lately: callers choose what they call.
    fn is_well_elsewhere(&self, now: UnixMillis) -> bool {
        self.well.is_some_and(|(_, at)| now.since(at) < WELL_MS) && !self.burns_what_was_well
    }
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

    /// The limits of a run of this tenant, and their reason, where it is not its plan that says so.
    #[must_use]
    pub fn limits(&self, tenant: &Tenant, now: UnixMillis) -> (Limits, Option<&'static str>) {
        if self.seen.borrow().quarantines.has(&tenant.id, now) {
            return (Plan::Quarantine.limits(), Some("quarantine"));
        }
        match &tenant.limits_override {
            // What the directory itself puts away is not let out by an override from before.
            _ if tenant.plan == Plan::Quarantine => (tenant.plan.limits(), None),
            Some(own) if now < own.until => (own.limits, Some("override")),
            Some(_) => (tenant.plan.limits(), Some("override_expired")),
            None => (tenant.plan.limits(), None),
        }
    }

    /// Whether the tenant is put away, by the list or by its plan.
    #[must_use]
    pub fn has(&self, tenant: &Tenant, now: UnixMillis) -> bool {
        tenant.plan == Plan::Quarantine || self.seen.borrow().quarantines.has(&tenant.id, now)
    }

    /// At which rates requests to this tenant are let in.
    #[must_use]
    pub fn rates(&self, tenant: &Tenant, now: UnixMillis) -> Rates {
        if self.has(tenant, now) {
            return Plan::Quarantine.rates();
        }
        let plans = tenant.plan.rates();
        let own = tenant.limits_override.filter(|own| now < own.until);
        let own = own.map_or([None; 3], |own| own.rates);
        let [tenant, payer, address] = own;
        Rates {
            tenant: tenant.unwrap_or(plans.tenant),
            payer: payer.unwrap_or(plans.payer),
            address: address.unwrap_or(plans.address),
        }
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
        let new = || Burns { tenant_id: tenant.id.clone(), ..Burns::default() };
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
    fn failed(&self, errand: Errand, now: UnixMillis) {
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
    fn learn(&self, quarantines: Quarantines, now: UnixMillis) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{directory::Directory, dispatch_key::DispatchKey, tenant::Available};
    use proptest::prelude::*;
    use std::{
        future::{Future, pending},
        pin::pin,
        rc::Rc,
        task::{Context, Poll, Waker},
    };
    use x402_protocol::Network;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn tenant(more: &str) -> Rc<Tenant> {
        let json = format!(r#"{{"tenants":[{{"id":"acme","plan":"pro","slug":"acme"{more}}}]}}"#);
        let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
        Directory::from_json(&json, &available).unwrap().find(&DispatchKey::slug("acme").unwrap()).unwrap()
    }

    fn by_operator(until_ms: Option<UnixMillis>) -> Quarantines {
        let mut list = Quarantines::default();
        let quarantine = Quarantine::asked_for("acme", r#"{"reason":"phishing","author":"ann"}"#, NOW).unwrap();
        assert!(list.put(Quarantine { until_ms, ..quarantine }, NOW));
        list
    }

    #[test]
    fn a_quarantine_counts_at_once_and_ends_in_time_or_when_it_is_lifted() {
        let (warden, acme) = (Warden::default(), tenant(""));
        assert_eq!(warden.limits(&acme, NOW), (Plan::Pro.limits(), None));
        warden.learn(by_operator(Some(NOW.plus(10))), NOW);
        assert_eq!(warden.limits(&acme, NOW), (Plan::Quarantine.limits(), Some("quarantine")));
        assert_eq!(warden.limits(&acme, NOW.plus(10)), (Plan::Pro.limits(), None));
        let mut list = by_operator(None);
        warden.learn(list.clone(), NOW);
        assert!(warden.limits(&acme, UnixMillis(u64::MAX)).1.is_some());
        list.lift("acme");
        warden.learn(list, NOW);
        assert_eq!(warden.limits(&acme, NOW).1, None);
    }

    #[test]
    fn an_override_counts_until_it_expires_and_then_says_so() {
        let own = r#","override":{"cpuMs":300,"subRequests":90,"reason":"launch","author":"ann","expires":"2027-01-15T08:00:00Z"}"#;
        let (warden, acme) = (Warden::default(), tenant(own));
        let limits = Limits { cpu_ms: 300, sub_requests: 90 };
        assert_eq!(warden.limits(&acme, UnixMillis(NOW.0 - 1)), (limits, Some("override")));
        assert_eq!(warden.limits(&acme, NOW), (Plan::Pro.limits(), Some("override_expired")));
        warden.learn(by_operator(None), NOW);
        assert_eq!(warden.limits(&acme, UnixMillis(0)).1, Some("quarantine"), "over any override");
    }

    #[test]
    fn an_operator_must_say_who_and_why() {
        for (wrong, said) in [
            ("", "line 1 column 0"),
            ("{}", "missing field `reason`"),
            (r#"{"reason":"x"}"#, "missing field `author` at line 1 column 14"),
            (r#"{"reason":"","author":"ann"}"#, "reason has 0 bytes"),
            (r#"{"reason":"x","author":7}"#, "invalid type: integer `7`, expected a string at line 1 column 24"),
            (r#"{"reason":"x","author":"a","x":1}"#, "there is no \"x\""),
            (r#"["phishing","ann"]"#, "invalid type: sequence"),
        ] {
            let error = Quarantine::asked_for("acme", wrong, NOW).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_quarantine_that_is_over_before_it_begins_is_refused() {
        let until = |ms: u64| format!(r#"{{"reason":"x","author":"ann","until_ms":{ms}}}"#);
        assert!(Quarantine::asked_for("acme", &until(NOW.0 / 1_000), NOW).unwrap_err().contains("milliseconds"));
        assert!(Quarantine::asked_for("acme", &until(NOW.0 + 1), NOW).is_ok());
    }

    #[test]
    fn policy_does_not_shorten_what_an_operator_has_put_in_force() {
        let mut list = by_operator(None);
        let by_policy = Quarantine { until_ms: Some(NOW.plus(10)), ..list.0[0].clone() };
        assert!(list.put_by_policy(by_policy, NOW));
        assert!(list.has("acme", NOW.plus(1_000)));
    }

    #[test]
    fn no_override_lets_out_whom_the_directory_has_put_away() {
        let own = r#","override":{"cpuMs":300,"subRequests":90,"reason":"launch","author":"ann","expires":"2099-01-15T08:00:00Z"}"#;
        let json = format!(r#"{{"tenants":[{{"id":"acme","plan":"quarantine","slug":"acme"{own}}}]}}"#);
        let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
        let directory = Directory::from_json(&json, &available).unwrap();
        let acme = directory.find(&DispatchKey::slug("acme").unwrap()).unwrap();
        assert_eq!(Warden::default().limits(&acme, NOW).0, Plan::Quarantine.limits());
    }

    #[test]
    fn a_list_is_bounded() {
        let mut list = Quarantines::default();
        let put = |list: &mut Quarantines, id: &str| {
            list.put(Quarantine::asked_for(id, r#"{"reason":"x","author":"a"}"#, NOW).unwrap(), NOW)
        };
        assert!((0..MAX_QUARANTINED).all(|n| put(&mut list, &n.to_string())));
        assert!(!put(&mut list, "one more") && put(&mut list, "7"), "who is there can be put again");
    }

    #[test]
    fn the_object_says_what_is_to_be_stored_and_when_it_is_full() {
        let (mut list, quarantine) = (Quarantines::default(), by_operator(None).0.remove(0));
        let take = |list: &mut Quarantines, call| list.take(call, NOW).ok();
        assert_eq!(take(&mut list, QuarantineCall::List), Some(false));
        assert_eq!(take(&mut list, QuarantineCall::Put(quarantine.clone())), Some(true));
        assert!(list.has("acme", NOW));
        assert_eq!(take(&mut list, QuarantineCall::Lift("acme".to_owned())), Some(true));
        assert!(!list.has("acme", NOW));
        for n in 0..MAX_QUARANTINED {
            take(&mut list, QuarantineCall::Put(Quarantine { tenant_id: n.to_string(), ..quarantine.clone() }))
                .unwrap();
        }
        assert_eq!(take(&mut list, QuarantineCall::Put(quarantine.clone())), None);
        assert_eq!(take(&mut list, QuarantineCall::PutByPolicy(quarantine)), Some(true), "an errand is never repeated");
    }

    #[test]
    fn policy_leaves_room_for_operators() {
        let mut list = Quarantines::default();
        let mut put = |id: String, author: &str| {
            let new = Quarantine { tenant_id: id, reason: "x".to_owned(), author: author.to_owned(), until_ms: None };
            if author == POLICY { list.put_by_policy(new, NOW) } else { list.put(new, NOW) }
        };
        let by_policy = (0..1_000).filter(|n| put(format!("burns-{n}"), POLICY)).count();
        assert_eq!(by_policy, MAX_BY_POLICY);
        assert!(put("phishes".to_owned(), "ann"));
    }

    #[test]
    fn a_list_of_a_later_version_is_read_and_an_operators_misspelling_is_not() {
        let later = r#"[{"tenant_id":"acme","reason":"x","author":"ann","until_ms":null,"ticket":7}]"#;
        assert!(serde_json::from_str::<Quarantines>(later).unwrap().has("acme", NOW));
        let misspelt = r#"{"reason":"x","author":"ann","untill_ms":1}"#;
        assert!(Quarantine::asked_for("acme", misspelt, NOW).unwrap_err().contains("untill_ms"));
    }

    #[test]
    fn every_request_asks_until_somebody_has_told_or_failed_to_and_what_failed_is_tried_again() {
        let (warden, acme) = (Warden::new(CpuPolicy::Quarantine), tenant(""));
        assert_eq!((warden.first(), warden.first()), (Some(Errand::Ask), Some(Errand::Ask)));
        warden.failed(Errand::Ask, NOW);
        assert_eq!((warden.first(), warden.due(NOW)), (None, None), "not by every request of a busy isolate");
        let later = NOW.plus(RETRY_MS);
        assert_eq!(
            (warden.first(), warden.due(later)),
            (None, Some(Errand::Ask)),
            "beside an answer, and not before it"
        );
        warden.learn(Quarantines::default(), NOW);
        assert_eq!((warden.first(), warden.due(NOW)), (None, None));

        for n in 0..CPU_FAILURES_IN_A_ROW as u64 {
            warden.ran(&acme, caller(n), Some(TenantFailure::CpuLimit), NOW.plus(n * 1_000));
        }
        let put = warden.due(NOW).unwrap();
        warden.failed(put.clone(), NOW);
        assert_eq!(warden.due(NOW.plus(RETRY_MS)), Some(put));
    }

    /// A clock that stands, but for those who wait: their time passes at once.
    struct Still;

    impl Clock for Still {
        fn now(&self) -> UnixMillis {
            NOW
        }

        async fn sleep(&self, _: u64) {}
    }

    fn ready<T>(doing: impl Future<Output = T>) -> T {
        match pin!(doing).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("it waited for ever"),
        }
    }

    #[test]
    fn an_object_that_hangs_or_fails_keeps_nobody_and_is_asked_again_beside_answers() {
        let lost = || LedgerError("the object threw".to_owned());
        for (hangs, said) in [(true, "did not come within 2000 ms"), (false, "the object threw")] {
            let (warden, acme) = (Warden::default(), tenant(""));
            let asked = async |_| if hangs { pending().await } else { Err(lost()) };
            let error = ready(warden.run(warden.first().unwrap(), &Still, asked)).unwrap_err();
            assert!(error.0.contains(said), "{error}");
            assert_eq!(warden.limits(&acme, NOW), (Plan::Pro.limits(), None), "as it is without a list");
            let again = warden.due(NOW.plus(RETRY_MS)).unwrap();
            ready(warden.run(again, &Still, async |_| Ok(by_operator(None)))).unwrap();
            assert_eq!(warden.limits(&acme, NOW).1, Some("quarantine"));
            // The last list stays in force through whatever comes.
            ready(warden.run(Errand::Ask, &Still, async |_| if hangs { pending().await } else { Err(lost()) }))
                .unwrap_err();
            assert_eq!(warden.limits(&acme, NOW).1, Some("quarantine"));
        }
    }

    /// Another each time, at one path.
    fn caller(n: u64) -> (Origin, u32) {
        (Origin::of(n + 1, n + 1_001), 7)
    }

    #[test]
    fn five_callers_in_a_row_whose_runs_burn_raise_one_alert_and_by_policy_a_quarantine() {
        for (policy, put_away) in [(CpuPolicy::Alert, false), (CpuPolicy::Quarantine, true)] {
            let (warden, acme) = (Warden::new(policy), tenant(""));
            let burn = |at: u64| warden.ran(&acme, caller(at), Some(TenantFailure::CpuLimit), NOW.plus(at * 1_000));
            assert!((0..4).all(|at| burn(at).is_none()));
            assert!(warden.ran(&acme, caller(0), None, NOW).is_none(), "one that ends well starts the count anew");
            assert!((0..4).all(|at| burn(at).is_none()));
            let alert = burn(5).unwrap();
            assert_eq!((alert.in_a_row, alert.quarantined_until_ms.is_some()), (Some(5), put_away));
            assert_eq!(warden.limits(&acme, NOW.plus(6_000)).1.is_some(), put_away);
            assert_eq!(matches!(warden.due(NOW), Some(Errand::Put(_))), put_away);
            assert_eq!(warden.due(NOW).is_some(), put_away, "then the list is asked for");
        }
    }

    #[test]
    fn a_row_takes_three_seconds_so_that_others_can_show_that_the_script_is_well() {
        let (warden, acme) = (Warden::new(CpuPolicy::Quarantine), tenant(""));
        let burn = |n: u64, at| warden.ran(&acme, caller(n), Some(TenantFailure::CpuLimit), NOW.plus(at));
        assert!((0..50).all(|n| burn(n, n).is_none()));
        assert!(warden.ran(&acme, caller(99), None, NOW.plus(60)).is_none());
        assert!((0..50).all(|n| burn(n, 2_000 + n).is_none()));
        assert!(burn(50, 2_000 + ROW_MS).is_some());
    }

    #[test]
    fn one_caller_that_burns_puts_nobody_away_with_however_many_wallets_or_addresses() {
        type Burns = fn(u64) -> Origin;
        let burns: [Burns; 4] =
            [|_| caller(7).0, |n| Origin::of(7, n + 1), |n| Origin::of(n + 1, 7), |_| Origin::of(0, 0)];
        for burn in burns {
            let (warden, acme) = (Warden::new(CpuPolicy::Quarantine), tenant(""));
            let ran = |n| warden.ran(&acme, (burn(n), n as u32), Some(TenantFailure::CpuLimit), NOW);
            assert!((0..1_000).all(|n| ran(n).is_none()));
            assert_eq!(warden.limits(&acme, NOW).1, None);
        }
    }

    #[test]
    fn one_path_that_burns_is_told_and_does_not_put_away_the_paths_that_are_well() {
        let burn = |warden: &Warden, path: fn(u64) -> u32, at: UnixMillis| {
            let acme = tenant("");
            let ran = |n: u64| {
                let failure = Some(TenantFailure::CpuLimit);
                warden.ran(&acme, (caller(n).0, path(n)), failure, at.plus(n * 1_000))
            };
            assert_eq!((0..5).filter_map(ran).count(), 1);
            warden.limits(&acme, at.plus(5_000)).1.is_some()
        };
        let well = || {
            let warden = Warden::new(CpuPolicy::Quarantine);
            warden.ran(&tenant(""), (caller(9).0, 8), None, NOW);
            warden
        };
        assert!(!burn(&well(), |_| 7, NOW));
        assert!(burn(&well(), |_| 8, NOW), "the path that was well is the one");
        assert!(!burn(&well(), |n| n as u32, NOW), "callers choose what they call");
        assert!(burn(&well(), |n| n as u32 + 5, NOW), "the path that was well is among them");
        assert!(burn(&well(), |_| 7, NOW.plus(WELL_MS)), "nobody knows any more");
    }

    proptest! {
        #[test]
        fn an_alert_means_five_callers_in_a_row_whatever_the_runs(ends in prop::collection::vec(0_u8..4, 0..200)) {
            let (warden, acme) = (Warden::default(), tenant(""));
            let mut in_a_row = 0;
            // So far apart that a row takes long enough.
            for (n, end) in (0..).zip(ends) {
                let failure = match end {
                    0 => None,
                    1 => Some(TenantFailure::Threw),
                    _ => Some(TenantFailure::CpuLimit),
                };
                in_a_row = if end > 1 { in_a_row + 1 } else { 0 };
                let alert = warden.ran(&acme, caller(n), failure, NOW.plus(n * 1_000));
                prop_assert_eq!(alert.is_some(), in_a_row == 5);
                in_a_row %= 5;
            }
        }
    }
}
