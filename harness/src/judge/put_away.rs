//! Who was in quarantine when: by an operator's word that the dispatcher took, or by policy, as its alert says. What several
//! judges of limits share.

use super::{History, Line};
use reports::event::{LimitFacts, OperatorDoes, TenantFacts};
use std::collections::BTreeMap;

/// A line of the dispatcher's log may be read so much later than what it tells of.
const LINE_IS_LATE_US: u64 = 1_000_000;

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
        for alert in history.alerts() {
            let (Some(tenant), Some(until_ms)) = (&alert.what.tenant_id, alert.quarantined_until_ms) else { continue };
            let end_us = until_ms.saturating_sub(history.started_at_ms) * 1_000;
            by_tenant.entry(tenant).or_default().push(PutAway {
                line: alert.line,
                may_us: alert.at_us.saturating_sub(LINE_IS_LATE_US),
                known_us: alert.at_us,
                may_end_us: end_us,
                end_us,
            });
        }
        for act in history.operator_acts().filter(|act| act.status == Some(200)) {
            let of_tenant = by_tenant.entry(act.what.tenant.as_str()).or_default();
            match act.does {
                OperatorDoes::Quarantine { until_us } => {
                    let end_us = until_us.unwrap_or(u64::MAX);
                    let (may_us, known_us) = (act.asked_us, act.at_us);
                    of_tenant.push(PutAway { line: act.line, may_us, known_us, may_end_us: end_us, end_us });
                }
                OperatorDoes::LiftQuarantine => {
                    let lifted = |time: &&mut PutAway| time.line < act.line && act.at_us < time.end_us;
                    for put_away in of_tenant.iter_mut().filter(lifted) {
                        (put_away.may_end_us, put_away.end_us) = (act.asked_us, act.at_us);
                    }
                }
            }
        }
        Self { limits: history.quarantine, by_tenant }
    }

    pub fn tenants(&self) -> impl Iterator<Item = (&'a str, &[PutAway])> {
        self.by_tenant.iter().map(|(tenant, times)| (*tenant, times.as_slice()))
    }

    /// The limits that a run of the tenant may have been given that began then: its plan's, and beside them those of the
    /// quarantine that it has been in, which isolates learn the end of one by one.
    pub fn limits_at(&self, tenant: &TenantFacts, at_us: u64) -> (LimitFacts, Option<LimitFacts>) {
        let was_put_away =
            self.by_tenant.get(tenant.id.as_str()).into_iter().flatten().any(|time| time.may_us <= at_us);
        let plans = LimitFacts { cpu_ms: tenant.cpu_ms, sub_requests: tenant.sub_requests };
        (plans, self.limits.filter(|_| was_put_away))
    }
}
