//! Tenants that must not do harm while someone looks: put there by an operator, at once and without a deploy, or by policy
//! after their Worker ran out of CPU time again and again. They run under the plan `quarantine`.
//!
//! One object of the deployment has the list, each isolate a copy, and a count of failures of its own: pure, bytes and times
//! in, limits and errands out.

use crate::{
    plan::{Limits, Plan, Rates},
    telemetry::Alert,
    tenant::Tenant,
    tenant_failure::TenantFailure,
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use x402_paywall::UnixMillis;

/// How old an isolate's copy may be: so long a quarantine may take to be everywhere. One call a pause and isolate, beside
/// answers.
const ASK_EVERY_MS: u64 = 5_000;
/// Bounds what each isolate reads at each call. Who would put more tenants away at once has a plan to change, not a list.
const MAX_QUARANTINED: usize = 500;
const MAX_TEXT_BYTES: usize = 200;
/// Runs in a row that ended over the CPU limit. One may be bad luck; a script that the platform has condemned fails for ever.
const CPU_FAILURES_IN_A_ROW: u32 = 5;
/// How long policy puts a tenant away. An operator does so for as long as it takes.
const BY_POLICY_MS: u64 = 600_000;
/// Scripts whose failures are counted at once; of one more, the oldest count is forgotten.
const MAX_COUNTED: usize = 256;

/// One tenant's quarantine, as the list keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// As an operator asks for it; the error says what is wrong.
    pub fn asked_for(tenant_id: &str, json: &str, now: UnixMillis) -> Result<Self, String> {
        let asked: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let fits = |text: &str| (1..=MAX_TEXT_BYTES).contains(&text.len());
        if !fits(&asked.reason) || !fits(&asked.author) {
            return Err(format!("reason and author must have 1 to {MAX_TEXT_BYTES} bytes"));
        }
        // Seconds in the place of milliseconds would look as if it were in force.
        if !asked.holds(now) {
            return Err("until_ms is in the past; it is in milliseconds of the Unix epoch".to_owned());
        }
        Ok(Self { tenant_id: tenant_id.to_owned(), ..asked })
    }

    fn holds(&self, now: UnixMillis) -> bool {
        self.until_ms.is_none_or(|until| now < until)
    }
}

/// Everybody who is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantines(Vec<Quarantine>);

impl Quarantines {
    /// `false`: there is no room.
    pub fn put(&mut self, new: Quarantine, now: UnixMillis) -> bool {
        self.0.retain(|old| old.holds(now) && old.tenant_id != new.tenant_id);
        let room = self.0.len() < MAX_QUARANTINED;
        if room {
            self.0.push(new);
        }
        room
    }

    /// As `put`, but what is in force stays as it is: an operator's quarantine must not end with policy's ten minutes.
    pub fn put_by_policy(&mut self, new: Quarantine, now: UnixMillis) -> bool {
        self.has(&new.tenant_id, now) || self.put(new, now)
    }

    pub fn lift(&mut self, tenant_id: &str) {
        self.0.retain(|old| old.tenant_id != tenant_id);
    }

    #[must_use]
    pub fn has(&self, tenant_id: &str, now: UnixMillis) -> bool {
        self.0.iter().any(|quarantine| quarantine.tenant_id == tenant_id && quarantine.holds(now))
    }
}

/// What becomes of a script that runs out of CPU time again and again.
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
    /// To be told to the one object.
    new: Vec<Quarantine>,
    /// By tenant, oldest first.
    failures: Vec<(String, u32)>,
}

/// What to tell or ask the one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    Ask,
    Put(Quarantine),
}

impl Warden {
    #[must_use]
    pub fn new(policy: CpuPolicy) -> Self {
        Self { policy, seen: RefCell::default() }
    }

    /// What a run of this tenant may use, and why, where it is not its plan that says so.
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

    /// At which rates requests to this tenant are let in.
    #[must_use]
    pub fn rates(&self, tenant: &Tenant, now: UnixMillis) -> Rates {
        if self.seen.borrow().quarantines.has(&tenant.id, now) || tenant.plan == Plan::Quarantine {
            return Plan::Quarantine.rates();
        }
        let plans = tenant.plan.rates();
        let own = tenant.limits_override.filter(|own| now < own.until).map_or([None; 3], |own| own.rates);
        let [tenant, payer, address] = own;
        Rates {
            tenant: tenant.unwrap_or(plans.tenant),
            payer: payer.unwrap_or(plans.payer),
            address: address.unwrap_or(plans.address),
        }
    }

    /// Takes how a run ended.
    pub fn ran(&self, tenant: &Tenant, failure: Option<TenantFailure>, now: UnixMillis) -> Option<Alert> {
        let seen = &mut *self.seen.borrow_mut();
        let at = seen.failures.iter().position(|(id, _)| *id == tenant.id);
        let before = at.map_or(0, |at| seen.failures.remove(at).1);
        if failure != Some(TenantFailure::CpuLimit) || seen.quarantines.has(&tenant.id, now) {
            return None;
        }
        let in_a_row = before + 1;
        if in_a_row < CPU_FAILURES_IN_A_ROW {
            if seen.failures.len() == MAX_COUNTED {
                seen.failures.remove(0);
            }
            seen.failures.push((tenant.id.clone(), in_a_row));
            return None;
        }
        let until = now.plus(BY_POLICY_MS);
        let is_put_away = self.policy == CpuPolicy::Quarantine;
        if is_put_away {
            let quarantine = Quarantine {
                tenant_id: tenant.id.clone(),
                reason: "its Worker ran out of CPU time again and again".to_owned(),
                author: "policy".to_owned(),
                until_ms: Some(until),
            };
            seen.quarantines.put(quarantine.clone(), now);
            seen.new.push(quarantine);
        }
        Some(Alert {
            alert: "tenant_cpu_limit",
            tenant_id: Some(tenant.id.clone()),
            script: Some(tenant.script.as_str().to_owned()),
            in_a_row: Some(in_a_row),
            quarantined_until_ms: is_put_away.then_some(until.0),
            ..Alert::default()
        })
    }

    /// Whether nobody has told this isolate yet who is in quarantine: worth the wait of its first request.
    #[must_use]
    pub fn knows_nothing(&self) -> bool {
        self.seen.borrow().asked.is_none()
    }

    /// Each is handed out once.
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Option<Errand> {
        let seen = &mut *self.seen.borrow_mut();
        if let Some(new) = seen.new.pop() {
            return Some(Errand::Put(new));
        }
        let is_due = seen.asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY_MS);
        is_due.then(|| {
            seen.asked = Some(now);
            Errand::Ask
        })
    }

    /// Takes the one object's list.
    pub fn learn(&self, quarantines: Quarantines, now: UnixMillis) {
        let seen = &mut *self.seen.borrow_mut();
        seen.quarantines = quarantines;
        seen.asked = Some(now);
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
    use std::rc::Rc;
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
        for wrong in
            ["", "{}", r#"{"reason":"x"}"#, r#"{"reason":"","author":"ann"}"#, r#"{"reason":"x","author":"a","x":1}"#]
        {
            assert!(Quarantine::asked_for("acme", wrong, NOW).is_err(), "{wrong}");
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
    fn five_cpu_failures_in_a_row_raise_one_alert_and_by_policy_a_quarantine() {
        for (policy, put_away) in [(CpuPolicy::Alert, false), (CpuPolicy::Quarantine, true)] {
            let (warden, acme) = (Warden::new(policy), tenant(""));
            let burn = |at: u64| warden.ran(&acme, Some(TenantFailure::CpuLimit), NOW.plus(at));
            assert!((0..4).all(|at| burn(at).is_none()));
            assert!(warden.ran(&acme, None, NOW).is_none(), "one that ends well starts the count anew");
            assert!((0..4).all(|at| burn(at).is_none()));
            let alert = burn(5).unwrap();
            assert_eq!((alert.in_a_row, alert.quarantined_until_ms.is_some()), (Some(5), put_away));
            assert_eq!(warden.limits(&acme, NOW.plus(6)).1.is_some(), put_away);
            assert_eq!(matches!(warden.due(NOW), Some(Errand::Put(_))), put_away);
            assert_eq!(warden.due(NOW).is_some(), put_away, "then the list is asked for");
        }
    }

    proptest! {
        #[test]
        fn an_alert_means_five_in_a_row_whatever_the_runs(ends in prop::collection::vec(0_u8..4, 0..200)) {
            let (warden, acme) = (Warden::default(), tenant(""));
            let mut in_a_row = 0;
            for end in ends {
                let failure = match end {
                    0 => None,
                    1 => Some(TenantFailure::Threw),
                    _ => Some(TenantFailure::CpuLimit),
                };
                in_a_row = if end > 1 { in_a_row + 1 } else { 0 };
                let alert = warden.ran(&acme, failure, NOW);
                prop_assert_eq!(alert.is_some(), in_a_row == 5);
                in_a_row %= 5;
            }
        }
    }
}
