//! Which headers may not pass. Into a tenant: nothing that only the dispatcher says, no caller's claim of having asked for
//! another host or path, and never the signed payment. Out of a tenant: nothing that a caller would believe to be the
//! dispatcher's, and where tenants share a host, nothing that speaks for all of it.
//!
//! Names are lower-case here, as the runtime has them. What is ours is ours by prefix: a header that we shall say one day
//! must not be a tenant's to say today.

use crate::{
    answer::{Answer, Body},
    cookies,
    ports::Outbound,
};
use x402_paywall::seeded::{self, Bug};

pub const REQUEST_ID: &str = "x-request-id";
pub const TENANT_ID: &str = "x-tenant-id";

/// The payment headers of both generations of x402, and what says whose request it is.
const OURS_BY_PREFIX: [&str; 4] = ["payment-", "x-payment", "x-tenant-", "x-platform-"];

/// A tenant's framework may believe these before its URL.
const CLAIMS_OF_ANOTHER_ADDRESS: [&str; 6] =
    ["forwarded", "x-forwarded-host", "x-host", "x-original-host", "x-original-url", "x-rewrite-url"];

/// Said once, it holds for every path of a host, or for longer than a response.
const SPEAKS_FOR_A_HOST: [&str; 6] =
    ["alt-svc", "clear-site-data", "nel", "report-to", "service-worker-allowed", "strict-transport-security"];

/// Taken off a paid response besides: they would let a shared cache keep what one caller paid for, or describe bytes that
/// we did not keep.
const STRIPPED_FROM_PAID_RESPONSES: [&str; 7] = [
    "cache-control",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "surrogate-control",
    "expires",
    "content-length",
    "transfer-encoding",
];

/// Taken off every request before the tenant sees it.
#[must_use]
pub fn may_not_enter(name: &str) -> bool {
    !seeded::has(Bug::ForgedHeaderEnters) && is_ours(name)
        || CLAIMS_OF_ANOTHER_ADDRESS.contains(&name) && !seeded::has(Bug::ForwardedHostEnters)
}

/// Taken off every tenant's response. `mount`: the path below which the tenant stands on a host that it shares.
#[must_use]
pub fn may_not_leave(name: &str, mount: Option<&str>) -> bool {
    let ours = is_ours(name) && !seeded::has(Bug::ForgedHeaderLeaves);
    ours || name == "extension-responses" && !seeded::has(Bug::ExtensionResponsesLeave)
        || mount.is_some() && SPEAKS_FOR_A_HOST.contains(&name) && !seeded::has(Bug::SpeaksForHost)
}

fn is_ours(name: &str) -> bool {
    name == REQUEST_ID || OURS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
}

/// A tenant's answer without what it may not say, and with its cookies bound to it.
pub fn confined<O: Outbound>(answer: Answer<O>, mount: Option<&str>) -> Answer<O> {
    let Answer { status, body, mut set, mut strip } = answer;
    match &body {
        Body::Tenant(response) => {
            for (name, value) in response.headers() {
                if cookies::is_cookie(&name) {
                    set.push((name, value));
                } else if may_not_leave(&name.to_ascii_lowercase(), mount) {
                    strip.push(name);
                }
            }
        }
        Body::Bytes(_) if mount.is_some() && !seeded::has(Bug::SpeaksForHost) => {
            set.retain(|(name, _)| !SPEAKS_FOR_A_HOST.contains(&name.to_ascii_lowercase().as_str()));
        }
        Body::Bytes(_) => {}
    }
    for (name, value) in &mut set {
        if cookies::is_cookie(name) {
            *value = cookies::bind(value, mount);
        }
    }
    Answer { status, body, set, strip }
}

/// The headers of a tenant's response that are kept with a paid response, and the `cache-control` it goes out with.
#[must_use]
pub fn paid_response_headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let no_store = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("cache-control") && value.to_ascii_lowercase().contains("no-store")
    });
    let stripped = |name: &str| {
        let name = name.to_ascii_lowercase();
        may_not_leave(&name, None)
            || STRIPPED_FROM_PAID_RESPONSES.contains(&name.as_str())
                && !(name.contains("cdn") && seeded::has(Bug::CdnCacheControlKept))
    };
    if seeded::has(Bug::PaidIsPublic) {
        return headers;
    }
    let mut kept: Vec<_> = headers.into_iter().filter(|(name, _)| !stripped(name)).collect();
    let private = if no_store { "private, no-store" } else { "private" };
    kept.push(("cache-control".to_owned(), private.to_owned()));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paid_response_is_private_whatever_the_tenant_says_and_keeps_its_own_headers() {
        let headers = [
            ("Cache-Control", "public, max-age=600"),
            ("CDN-Cache-Control", "max-age=600"),
            ("Payment-Response", "forged"),
            ("X-Request-Id", "forged"),
            ("Location", "/created/1"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ];
        let kept = paid_response_headers(headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec());
        let names: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            names,
            [("Location", "/created/1"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("cache-control", "private")]
        );
    }
    #[test]
    fn what_is_ours_is_ours_by_prefix_both_ways() {
        let ours = ["payment-signature", "payment-required", "payment-response", "payment-anything", "x-payment"];
        let also = ["x-payment-response", "x-request-id", "x-tenant-id", "x-tenant-plan", "x-platform-token"];
        for name in ours.into_iter().chain(also) {
            assert!(may_not_enter(name) && may_not_leave(name, None), "{name}");
        }
        for name in ["forwarded", "x-forwarded-host", "x-original-url", "x-rewrite-url"] {
            assert!(may_not_enter(name) && !may_not_leave(name, None), "{name}");
        }
        for name in ["accept", "authorization", "content-type", "cookie", "cf-connecting-ip", "x-request-id-of-mine"] {
            assert!(!may_not_enter(name) && !may_not_leave(name, Some("/t/acme")), "{name}");
        }
    }

    #[test]
    fn a_tenant_on_a_shared_host_does_not_speak_for_it() {
        for name in ["clear-site-data", "strict-transport-security", "service-worker-allowed"] {
            assert!(may_not_leave(name, Some("/t/acme")) && !may_not_leave(name, None), "{name}");
        }
    }
}
