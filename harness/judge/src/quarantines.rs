//! Who was in quarantine when: by an operator's word that the dispatcher took, or by policy, as its alert says. What several
//! judges of limits share.

use super::{History, Line};
use reports::event::{LimitFacts, OperatorDoes, TenantFacts};
use std::collections::BTreeMap;

/// A line of the dispatcher's log may be read so much later than what it tells of.
const LINE_IS_LATE_US: u64 = 5_000_000;
/// After a quarantine's end an isolate may still go by it: one that idled and is asked again.
const FORGOTTEN_BY_US: u64 = 60_000_000;
/// Ends are told to the dispatcher in milliseconds.
const MILLISECOND_US: u64 = 1_000;

/// One tenant's time in quarantine.
#[derive(Clone, Copy, Debug)]
pub struct PutAway {
    pub line: Line,
    /// From when on it may be in force: it was asked for.
    pub may_us: u64,
    /// From when on isolates can learn of it: it was answered.
    pub known_us: u64,
    /// From when on it may be over, and when it surely is.
    pub may_end_us: u64,
    pub end_us: u64,
}

pub struct Quarantines<'a> {
    limits: Option<LimitFacts>,
    by_tenant: BTreeMap<&'a str, Vec<PutAway>>,
}

impl<'a> Quarantines<'a> {
    pub fn of(history: &'a History) -> Self {
        let mut by_tenant: BTreeMap<&str, Vec<PutAway>> = BTreeMap::new();
        for act in history.operator_acts() {
            let of_tenant = by_tenant.entry(act.what.tenant.as_str()).or_default();
            let is_done = act.status == Some(200);
            // One takes the place of the other, and a lift takes both away; what got no answer may have been done.
            for time in of_tenant.iter_mut().filter(|time| act.asked_us < time.end_us) {
                time.may_end_us = time.may_end_us.min(act.asked_us);
                if is_done {
                    time.end_us = act.at_us;
                }
            }
            if let OperatorDoes::Quarantine { until_us } = act.does {
                let end_us = until_us.unwrap_or(u64::MAX);
                of_tenant.push(PutAway {
                    line: act.line,
                    may_us: act.asked_us,
                    known_us: if is_done { act.at_us } else { u64::MAX },
                    may_end_us: end_us.saturating_sub(MILLISECOND_US),
                    end_us,
                });
            }
        }
        for alert in history.alerts() {
            let (Some(tenant), Some(until_ms)) = (&alert.what.tenant_id, alert.quarantined_until_ms) else { continue };
            let end_us = until_ms.saturating_sub(history.started_at_ms) * 1_000;
            let acts = || history.operator_acts().filter(|act| act.tenant == *tenant && act.status == Some(200));
            let before = acts().filter(|act| act.line < alert.line).last();
            if before.is_some_and(|act| matches!(act.does, OperatorDoes::Quarantine { .. })) {
                // An operator's own goes before policy's.
                continue;
            }
            let next = acts().find(|act| alert.line < act.line);
            by_tenant.entry(tenant).or_default().push(PutAway {
                line: alert.line,
                may_us: alert.at_us.saturating_sub(LINE_IS_LATE_US),
                known_us: alert.at_us,
                may_end_us: next.map_or(end_us, |act| act.asked_us).min(end_us.saturating_sub(MILLISECOND_US)),
                end_us: next.map_or(end_us, |act| act.at_us).min(end_us),
            });
        }
        Self { limits: history.quarantine, by_tenant }
    }

    pub fn tenants(&self) -> impl Iterator<Item = (&'a str, &[PutAway])> {
        self.by_tenant.iter().map(|(tenant, times)| (*tenant, times.as_slice()))
    }

    /// The limits that a run of the tenant may have been given then: its plan's, and beside them those of the quarantine that
    /// it has been in, which isolates learn the end of one by one.
    pub fn limits_at(&self, tenant: &TenantFacts, at_us: u64) -> (LimitFacts, Option<LimitFacts>) {
        let of_tenant = self.by_tenant.get(tenant.id.as_str()).into_iter().flatten();
        let was_put_away = |time: &PutAway| (time.may_us..time.end_us.saturating_add(FORGOTTEN_BY_US)).contains(&at_us);
        let was_put_away = of_tenant.copied().any(|time| was_put_away(&time));
        let plans = LimitFacts { cpu_ms: tenant.cpu_ms, sub_requests: tenant.sub_requests };
        (plans, self.limits.filter(|_| was_put_away))
    }
}
