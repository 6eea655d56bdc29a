//! Headers of a tenant's subrequest that do not leave: those that name another receiver than the URL does, or speak for the
//! platform's edge.
//!
//! Surprising constraint: not all that begins with `cf-` is the edge's word. `cf-access-client-secret` and
//! `cf-aig-authorization` are credentials that a tenant sends for itself, so each header stands here by its name.

/// Taken off every subrequest, by their lower-case names.
pub const MAY_NOT_LEAVE: [&str; 20] = [
    // Where the edge honours it, a host that the policy never saw would get the request. The URL's own is put in its place.
    "host",
    // What an origin behind this edge believes of its caller.
    "cdn-loop",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-connecting-o2o",
    "cf-ew-via",
    "cf-ipcountry",
    "cf-pseudo-ipv4",
    "cf-ray",
    "cf-visitor",
    "cf-warp-tag-id",
    "cf-worker",
    "true-client-ip",
    // Between two hops (RFC 9110, 7.6.1). `Upgrade` stays: a Worker opens a WebSocket with it.
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_own_credentials_are_none_of_them() {
        for own in
            ["authorization", "cf-access-client-id", "cf-access-client-secret", "cf-aig-authorization", "upgrade"]
        {
            assert!(!MAY_NOT_LEAVE.contains(&own), "{own}");
        }
        assert!(MAY_NOT_LEAVE.iter().all(|name| *name == name.to_ascii_lowercase()));
    }
}
