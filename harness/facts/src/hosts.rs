//! The hosts of a played world: of its tenants, and of its operators.

/// The host of the dashboard. Browsers take it for this machine without asking anybody.
pub const DASHBOARD_HOST: &str = "dashboard.localhost";

/// The host that the harness gives a tenant.
#[must_use]
pub fn host_of(tenant: &str) -> String {
    format!("{tenant}.tenants.test")
}
