//! What a payment buys: one request. The binding is a hash of tenant, method, path and query; the body is not part of it,
//! because it may be a stream that only the tenant reads.

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

/// Keccak-256 over the request's parts, each with its length before it, so that no two requests run together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding(String);

impl Binding {
    /// `path` as the tenant sees it, so that a tenant's host and its `/t/<slug>` form are the same request.
    #[must_use]
    pub fn of(tenant_id: &str, method: &str, path: &str, query: Option<&str>) -> Self {
        let mut hasher = Keccak256::new();
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        for part in [tenant_id, method, path, &query] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(x402_protocol::hex::encode(&hasher.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_request_counts() {
        let base = Binding::of("acme", "GET", "/quote", Some("a=1"));
        for (tenant, method, path, query) in [
            ("globex", "GET", "/quote", Some("a=1")),
            ("acme", "POST", "/quote", Some("a=1")),
            ("acme", "GET", "/quotea", Some("=1")),
            ("acme", "GET", "/quote", Some("a=2")),
            ("acme", "GET", "/quote", None),
            ("acmeG", "ET", "/quote", Some("a=1")),
        ] {
            assert_ne!(Binding::of(tenant, method, path, query), base);
        }
        assert_ne!(Binding::of("a", "GET", "/", None), Binding::of("a", "GET", "/", Some("")));
    }
}
