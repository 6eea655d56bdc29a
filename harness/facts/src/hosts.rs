//! The hosts of a played world's tenants.

/// The host that the harness gives a tenant.
#[must_use]
pub fn host_of(tenant: &str) -> String {
    format!("{tenant}.tenants.test")
}
