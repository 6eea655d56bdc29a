//! What a tenant may use now: by the list, by an override of its own, or by its plan.

use super::Warden;
use crate::{
    plan::{Limits, Plan, Rates},
    tenant::Tenant,
};
use x402_paywall::UnixMillis;

impl Warden {
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
}
