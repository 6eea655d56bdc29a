//! What an answer carries that should not have come through. Tenant doubles and forging clients mark the headers that they
//! forge with one word, and tenant doubles tell which headers reached them.

use reqwest::header::HeaderMap;
use serde_json::Value;
use x402_protocol::header;

/// Stands in every forged header, as such or inside the base64.
const MARK: &str = "forged";

/// The headers with a caller's payment: nobody's business but the dispatcher's.
const SIGNED_PAYMENT: [&str; 2] = [header::PAYMENT_SIGNATURE, "x-payment"];

/// Headers that a forging client sends.
pub const FORGED_REQUEST: &[(&str, &str)] = &[
    ("x-request-id", "forged-id"),
    ("x-tenant-id", "forged-tenant"),
    ("payment-response", "forged-receipt"),
    ("x-payment-response", "forged-receipt"),
    ("x-tenant-plan", "forged-plan"),
    ("x-platform-token", "forged-token"),
    ("x-forwarded-host", "forged.tenants.test"),
    ("x-original-url", "/t/forged/quote"),
    ("x-forwarded-prefix", "/t/forged"),
    ("sign-in-with-x", "forged-proof"),
    ("authorization", "Payment forged-credential"),
    ("forwarded", "host=forged.tenants.test"),
    ("x-forwarded-for", "forged-address"),
    ("true-client-ip", "forged-address"),
    ("x_real_ip", "forged-address"),
];

/// Beside `cache-control`, these tell a shared cache to keep an answer.
const SHARED_CACHE: [&str; 4] = ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "expires"];

pub fn shared_cache(headers: &HeaderMap) -> Vec<String> {
    SHARED_CACHE.iter().filter(|name| headers.contains_key(**name)).map(|name| (*name).to_owned()).collect()
}

/// Headers of which an answer has one at most, and whose value is no list: a browser that sees two lets no page in, and of two
/// receipts nobody knows which one counts.
const SINGLE: [&str; 15] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-max-age",
    "payment-required",
    "payment-response",
    "x-payment-response",
    "retry-after",
    "x-request-id",
    "x-tenant-id",
    "content-type",
    "content-length",
    "location",
    "content-location",
    "etag",
    "x-canary",
];

/// Headers that must have one value and have more, each on a line of its own or all on one.
pub fn repeated(headers: &HeaderMap) -> Vec<String> {
    let is_list = |value: &reqwest::header::HeaderValue| value.as_bytes().contains(&b',');
    let many = |name: &&&str| headers.get_all(**name).iter().count() > 1 || headers.get_all(**name).iter().any(is_list);
    SINGLE.iter().filter(many).map(|name| (*name).to_owned()).collect()
}

/// The headers that a tenant may set on a host that is its own.
const OF_THE_HOST: [&str; 2] = ["clear-site-data", "service-worker-allowed"];

/// `body` is the answer's, where that is a tenant double's; `by_host`: the tenant shares its host with nobody.
pub fn internal_headers(headers: &HeaderMap, body: &Value, by_host: bool) -> Vec<String> {
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let may_leave = |name: &str| by_host && OF_THE_HOST.contains(&name);
    let out = headers.iter().filter(|(name, value)| is_marked(&text(value)) && !may_leave(name.as_str()));
    let out = out.map(|(name, _)| format!("response {name}"));
    let reached = body["headers"].as_object().into_iter().flatten();
    let into = reached
        .filter(|(name, value)| SIGNED_PAYMENT.contains(&name.as_str()) || value.as_str().is_some_and(is_marked))
        .map(|(name, _)| format!("request {name}"));
    out.chain(into).collect()
}

fn is_marked(value: &str) -> bool {
    // What a tenant says about itself names what it forged, and is no forgery.
    let said = value.starts_with('{');
    !said && (value.contains(MARK) || header::decode(value).is_ok_and(|json| json.contains(MARK)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_must_be_single_is_seen_where_it_is_not() {
        let mut headers = HeaderMap::new();
        headers.append("access-control-allow-origin", "*".parse().unwrap());
        headers.append("vary", "origin, accept".parse().unwrap());
        assert_eq!(repeated(&headers), [""; 0]);
        headers.append("access-control-allow-origin", "https://app.example".parse().unwrap());
        headers.append("retry-after", "1, 2".parse().unwrap());
        assert_eq!(repeated(&headers), ["access-control-allow-origin", "retry-after"]);
    }

    #[test]
    fn a_mark_is_found_in_the_open_and_in_base64_and_a_payment_by_its_name() {
        let mut headers = HeaderMap::new();
        headers.insert("x-said", r#"{"forged":["x-request-id"]}"#.parse().unwrap());
        headers.insert("x-request-id", "forged-id".parse().unwrap());
        let receipt = header::encode(&json!({"transaction": "0xforged"}));
        headers.insert("payment-response", receipt.parse().unwrap());
        let body = json!({"headers": {"payment-signature": "e30=", "x-tenant-id": "acme"}});
        let mut found = internal_headers(&headers, &body, false);
        found.sort();
        assert_eq!(found, ["request payment-signature", "response payment-response", "response x-request-id"]);
        let headers = HeaderMap::from_iter([("clear-site-data".parse().unwrap(), "\"forged\"".parse().unwrap())]);
        let leaked = |by_host| internal_headers(&headers, &Value::Null, by_host).len();
        assert_eq!((leaked(false), leaked(true)), (1, 0));
    }
}
