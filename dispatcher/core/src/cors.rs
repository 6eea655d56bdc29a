//! What lets a page on another origin pay: it may read what we say of payments, and may send one.
//!
//! Applies to tenants that have a price, and adds to what a tenant says of itself without taking anything away. It opens
//! nothing that needs a user's credentials: `*` and a browser's cookies exclude each other, and a payment needs none. A
//! tenant that wants cookies with its payments answers for its origins itself.

use crate::{answer::Answer, ports::Inbound};
use x402_paywall::seeded::{self, Bug};
use x402_protocol::Version;

pub const ALLOW_ORIGIN: &str = "access-control-allow-origin";
pub const ALLOW_HEADERS: &str = "access-control-allow-headers";
pub const EXPOSE_HEADERS: &str = "access-control-expose-headers";
const MAX_AGE: &str = "access-control-max-age";

/// What a page may read of an answer of ours.
const EXPOSED: &str = "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X-Request-Id, X-Tenant-Id, Retry-After";

/// What a page may send with a payment. The last is no header of a request at all, but the official clients set it on
/// theirs, and a browser asks for it.
const PAYMENT_HEADERS: &str = "PAYMENT-SIGNATURE, X-PAYMENT, Access-Control-Expose-Headers";

/// Seconds for which a browser need not ask again.
const OUR_MAX_AGE_S: &str = "600";

/// Lets every page read an answer of ours.
#[must_use]
pub fn ours<O>(answer: Answer<O>) -> Answer<O> {
    if seeded::has(Bug::CorsMissing) {
        return answer;
    }
    answer.with(ALLOW_ORIGIN, "*").with(EXPOSE_HEADERS, EXPOSED)
}

/// Whether a preflight asks for leave to send a payment.
#[must_use]
pub fn asks_to_pay(preflight: &impl Inbound) -> bool {
    let payment_headers = [Version::V2, Version::V1].map(Version::payment_header);
    let is_one = |name: &str| payment_headers.iter().any(|header| name.trim().eq_ignore_ascii_case(header));
    preflight.header("access-control-request-headers").is_some_and(|names| names.split(',').any(is_one))
}

/// What to set on a tenant's response, which may let pages read it already: its own word on who may read it stands.
#[must_use]
pub fn added_to(tenants: &[(String, String)]) -> Vec<(String, String)> {
    let mut set = vec![(EXPOSE_HEADERS.to_owned(), joined(tenants, EXPOSE_HEADERS, EXPOSED))];
    if !has(tenants, ALLOW_ORIGIN) || seeded::has(Bug::CorsAppended) {
        set.push((ALLOW_ORIGIN.to_owned(), "*".to_owned()));
    }
    set
}

/// What to set on a tenant's answer to a preflight. `None`: the tenant lets no page in, so that the answer must be ours.
#[must_use]
pub fn added_to_preflight(status: u16, tenants: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let lets_in = (200..300).contains(&status) && has(tenants, ALLOW_ORIGIN);
    lets_in.then(|| vec![(ALLOW_HEADERS.to_owned(), joined(tenants, ALLOW_HEADERS, PAYMENT_HEADERS))])
}

/// Our answer to a preflight: the payment headers, and no method beyond those that need no permission.
#[must_use]
pub fn preflight() -> Vec<(String, String)> {
    [(ALLOW_ORIGIN, "*"), (ALLOW_HEADERS, PAYMENT_HEADERS), (MAX_AGE, OUR_MAX_AGE_S)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

/// The tenant's list with ours behind it.
fn joined(tenants: &[(String, String)], name: &str, ours: &str) -> String {
    let own = tenants.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let lists: Vec<_> = own.map(|(_, list)| list.as_str()).chain([ours]).collect();
    lists.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn value<'a>(set: &'a [(String, String)], name: &str) -> Option<&'a str> {
        set.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_tenants_own_word_stands_and_ours_is_added() {
        let set = added_to(&headers(&[
            ("Access-Control-Allow-Origin", "https://app.example"),
            ("access-control-expose-headers", "ETag"),
        ]));
        assert_eq!(value(&set, ALLOW_ORIGIN), None);
        assert!(value(&set, EXPOSE_HEADERS).unwrap().starts_with("ETag, PAYMENT-REQUIRED"));
        assert_eq!(value(&added_to(&[]), ALLOW_ORIGIN), Some("*"));
    }

    #[test]
    fn a_preflight_is_the_tenants_where_it_lets_pages_in_and_ours_where_it_does_not() {
        let open = headers(&[("access-control-allow-origin", "*"), ("access-control-allow-headers", "content-type")]);
        let set = added_to_preflight(204, &open).unwrap();
        assert!(value(&set, ALLOW_HEADERS).unwrap().starts_with("content-type, PAYMENT-SIGNATURE, X-PAYMENT"));
        assert_eq!(added_to_preflight(404, &open), None);
        assert_eq!(added_to_preflight(204, &[]), None);
        assert!(value(&preflight(), ALLOW_HEADERS).unwrap().contains("PAYMENT-SIGNATURE"));
    }
}
