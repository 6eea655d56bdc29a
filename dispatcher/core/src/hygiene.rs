//! Which headers may not pass. Into a tenant: nothing that only the dispatcher says, and never the signed payment. Out of
//! a tenant: nothing that a caller would believe to be the dispatcher's.

use x402_protocol::header::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_RESPONSE};

pub const REQUEST_ID: &str = "x-request-id";
pub const TENANT_ID: &str = "x-tenant-id";

/// Taken off every request before the tenant sees it.
pub const STRIPPED_FROM_REQUESTS: [&str; 6] =
    [PAYMENT_SIGNATURE, X_PAYMENT, PAYMENT_RESPONSE, X_PAYMENT_RESPONSE, REQUEST_ID, TENANT_ID];

/// Taken off every tenant's response.
pub const STRIPPED_FROM_RESPONSES: [&str; 6] =
    [PAYMENT_REQUIRED, PAYMENT_RESPONSE, X_PAYMENT_RESPONSE, "extension-responses", REQUEST_ID, TENANT_ID];

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

/// The headers of a tenant's response that are kept with a paid response, and the `cache-control` it goes out with.
#[must_use]
pub fn paid_response_headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let no_store = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("cache-control") && value.to_ascii_lowercase().contains("no-store")
    });
    let stripped = |name: &str| {
        let is = |other: &&str| name.eq_ignore_ascii_case(other);
        STRIPPED_FROM_RESPONSES.iter().chain(&STRIPPED_FROM_PAID_RESPONSES).any(is)
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
}
