//! Headers that may not pass. Into a tenant: nothing that only the dispatcher says, no caller's claim of having asked for
//! another host or path, or of being somebody else, and never a signed payment or the proof of a wallet. Out of a tenant: nothing that a caller would
//! believe to be the dispatcher's, and where tenants share a host, nothing that speaks for all of it.
//!
//! Names are lower-case here, as the runtime has them. A header is ours by its prefix: one that we shall say one day must
//! not be a tenant's to say today.

pub const REQUEST_ID: &str = "x-request-id";
pub const TENANT_ID: &str = "x-tenant-id";
/// Tells a tenant from where it is asked.
pub const FORWARDED_FOR: &str = "x-forwarded-for";
/// Tells a tenant below which path it stands.
pub const PREFIX: &str = "x-forwarded-prefix";

/// The payment headers of both generations of x402, and what says whose request it is.
const OURS_BY_PREFIX: [&str; 4] = ["payment-", "x-payment", "x-tenant-", "x-platform-"];

/// A caller's proof that a wallet is its own. A tenant that had it could sign in elsewhere with it.
pub const SIGN_IN: &str = "sign-in-with-x";

/// A caller's own words on its trace, of which we go on with the trace's id alone.
const TRACESTATE: &str = "tracestate";

/// Headers that may carry a payment of another protocol, by their scheme (`draft-httpauth-payment`).
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];
const PAYMENT_SCHEME: &str = "payment";

/// A tenant's framework may believe these before its URL.
const CLAIMS_OF_ANOTHER_ADDRESS: [&str; 20] = [
    "forwarded",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-forwarded-host",
    "x-forwarded-path",
    PREFIX,
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-host",
    "x-http-host-override",
    "x-invoke-path",
    "x-matched-path",
    "x-middleware-rewrite",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-uri",
    "x-rewrite-url",
    "x-script-name",
];

/// A tenant may let somebody in, or hold somebody to a limit, by one of these. The platform says `cf-connecting-ip`, and what it knows
/// goes to the tenant as [`FORWARDED_FOR`].
const CLAIMS_OF_ANOTHER_CALLER: [&str; 16] = [
    "client-ip",
    "fastly-client-ip",
    "forwarded-for",
    "true-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forwarded",
    FORWARDED_FOR,
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-true-client-ip",
];

/// Internal words between servers of x402 and their facilitators (core specification, 7.2.1).
const BETWEEN_SERVERS: [&str; 2] = ["extension-responses", "settlement-overrides"];

/// Said once, it holds for every path of a host, or for longer than a response.
const SPEAKS_FOR_A_HOST: [&str; 15] = [
    "accept-ch",
    "alt-svc",
    "clear-site-data",
    "critical-ch",
    "expect-ct",
    "nel",
    "origin-agent-cluster",
    "public-key-pins",
    "report-to",
    "sec-session-registration",
    "secure-session-registration",
    "service-worker-allowed",
    "set-login",
    "strict-transport-security",
    "use-as-dictionary",
];

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

/// Describe a request's content. Without content they have nothing to describe.
const OF_CONTENT: [&str; 7] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "expect",
    "trailer",
    "transfer-encoding",
];

/// Taken off every request before the tenant sees it. A header with underscores is the same to servers that make variables of
/// headers' names.
#[must_use]
pub fn may_not_enter(name: &str, value: &str) -> bool {
    let name = &*name.replace('_', "-");
    is_ours(name)
        || BETWEEN_SERVERS.contains(&name)
        || name == SIGN_IN
        || name == TRACESTATE
        || CREDENTIALS.contains(&name) && is_payment(value)
        || CLAIMS_OF_ANOTHER_ADDRESS.contains(&name)
        || CLAIMS_OF_ANOTHER_CALLER.contains(&name)
}

/// Taken off a GET and a HEAD that came with content, together with the content (RFC 9110, 9.3.1).
#[must_use]
pub fn describes_content(name: &str) -> bool {
    OF_CONTENT.contains(&name)
}

/// Taken off every tenant's response. `is_mounted`: the tenant stands on a host that it shares.
#[must_use]
pub fn may_not_leave(name: &str, is_mounted: bool) -> bool {
    is_ours(name) || BETWEEN_SERVERS.contains(&name) || is_mounted && SPEAKS_FOR_A_HOST.contains(&name)
}

/// Whether a header speaks for a whole host, or for longer than a response.
#[must_use]
pub fn speaks_for_a_host(name: &str) -> bool {
    SPEAKS_FOR_A_HOST.contains(&name)
}

/// Whether no page gets leave to send a header of this name: it says what only the dispatcher says. A request's id is no
/// such header, although it is replaced: many clients send one with everything.
#[must_use]
pub fn is_closed_to_pages(name: &str) -> bool {
    is_ours(name) && name != REQUEST_ID
}

fn is_ours(name: &str) -> bool {
    name == REQUEST_ID || OURS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether credentials are a payment. The runtime joins a header that came several times with commas.
fn is_payment(credentials: &str) -> bool {
    credentials.split(',').any(|part| {
        let scheme = part.trim().split([' ', '\t']).next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(PAYMENT_SCHEME)
    })
}

/// The headers of a tenant's response that are kept with a paid response, and the `cache-control` it goes out with.
#[must_use]
pub fn paid_response_headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let no_store = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("cache-control") && value.to_ascii_lowercase().contains("no-store")
    });
    let stripped = |name: &str| {
        let name = name.to_ascii_lowercase();
        may_not_leave(&name, false) || STRIPPED_FROM_PAID_RESPONSES.contains(&name.as_str())
    };
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
            ("Extension-Responses", "e30="),
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
        for name in ours.into_iter().chain(also).chain(BETWEEN_SERVERS) {
            assert!(may_not_enter(name, "") && may_not_leave(name, false), "{name}");
        }
        for name in CLAIMS_OF_ANOTHER_ADDRESS.into_iter().chain(CLAIMS_OF_ANOTHER_CALLER) {
            assert!(may_not_enter(name, "") && !may_not_leave(name, false), "{name}");
        }
        for name in ["payment_signature", "x_payment", "x-tenant_id", "x_forwarded_host", "sign_in_with_x"] {
            assert!(may_not_enter(name, ""), "{name}");
        }
        for name in ["accept", "authorization", "content-type", "cookie", "cf-connecting-ip", "x-request-id-of-mine"] {
            assert!(!may_not_enter(name, "") && !may_not_leave(name, true), "{name}");
        }
    }

    #[test]
    fn a_payment_and_a_wallets_proof_never_enter_and_other_credentials_do() {
        assert!(may_not_enter("sign-in-with-x", "e30="));
        for value in ["Payment e30=", "payment\te30=", "PAYMENT", "  Payment id=\"1\"", "Bearer a, Payment e30="] {
            assert!(CREDENTIALS.iter().all(|name| may_not_enter(name, value)), "{value}");
        }
        for value in ["Bearer payment", "Basic cGF5bWVudA==", "Payments a", "Digest payment=1, realm=\"x\"", ""] {
            assert!(CREDENTIALS.iter().all(|name| !may_not_enter(name, value)), "{value}");
        }
    }

    #[test]
    fn a_tenant_on_a_shared_host_does_not_speak_for_it() {
        for name in ["clear-site-data", "strict-transport-security", "service-worker-allowed"] {
            assert!(may_not_leave(name, true) && !may_not_leave(name, false), "{name}");
        }
    }
}
