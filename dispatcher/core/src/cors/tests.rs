//! The preflights and readers of a tenant's answers: who may read what, and that no answer says it twice.

use super::*;
use crate::message::CollectError;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Default)]
struct Asked(BTreeMap<&'static str, String>);

impl Asked {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name, value.to_owned());
        self
    }
}

impl Inbound for Asked {
    fn method(&self) -> &str {
        "OPTIONS"
    }
    fn origin(&self) -> &str {
        "https://edge.example"
    }
    fn host(&self) -> &str {
        "edge.example"
    }
    fn path(&self) -> &str {
        "/t/acme/quote"
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn header(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
    async fn body(&self, _: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

#[derive(Debug)]
struct NoResponse;

impl Outbound for NoResponse {
    fn status(&self) -> u16 {
        500
    }
    fn headers(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    async fn collect(self, _: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

fn policy(json: &str) -> Policy {
    serde_json::from_str::<CorsRecord>(json).unwrap().check().unwrap()
}

fn content(headers: &[(&str, &str)]) -> Answer<NoResponse> {
    let set = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Answer { status: 200, body: Body::Bytes(Vec::new()), set, strip: Vec::new() }
}

fn value<'a>(answer: &'a Answer<NoResponse>, name: &str) -> Option<&'a str> {
    let mut values = answer.set.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let first = values.next().map(|(_, value)| value.as_str());
    assert!(values.next().is_none(), "{name} is said twice: {:?}", answer.set);
    first
}

fn answer(policy: Option<&Policy>, asked: &Asked) -> Answer<NoResponse> {
    preflight(policy, asked)
}

#[test]
fn a_tenants_own_word_stands_and_ours_is_added_and_none_is_said_twice() {
    let own = [("Access-Control-Allow-Origin", "https://app.example"), ("access-control-expose-headers", "ETag")];
    let told = Readers::default().of_theirs(content(&own));
    assert_eq!(value(&told, ALLOW_ORIGIN), Some("https://app.example"));
    assert!(value(&told, EXPOSE_HEADERS).unwrap().starts_with("ETag, PAYMENT-REQUIRED"));
    assert_eq!(value(&Readers::default().of_theirs(content(&[])), ALLOW_ORIGIN), Some("*"));
}

#[test]
fn what_the_record_says_stands_over_what_the_tenant_says() {
    let policy = policy(r#"{"origins":["https://app.example"],"credentials":true}"#);
    let own = [(ALLOW_ORIGIN, "*"), (ALLOW_CREDENTIALS, "true"), (VARY, "Accept")];
    for (origin, allowed, credentials) in [
        (Some("https://app.example"), Some("https://app.example"), Some("true")),
        (Some("https://evil.example"), None, None),
        (Some("null"), None, None),
        (None, None, None),
    ] {
        let request = origin.map_or_else(Asked::default, |origin| Asked::default().with(ORIGIN, origin));
        let readers = Readers::of(Some(&policy), &request);
        for told in [readers.of_theirs(content(&own)), readers.of_ours(content(&[(VARY, "Accept")]))] {
            assert_eq!((value(&told, ALLOW_ORIGIN), value(&told, ALLOW_CREDENTIALS)), (allowed, credentials));
        }
        assert_eq!(value(&readers.of_theirs(content(&own)), VARY), Some("Accept, Origin"));
        let asked = request.with(REQUEST_METHOD, "GET");
        let told = answer(Some(&policy), &asked);
        assert_eq!((value(&told, ALLOW_ORIGIN), value(&told, ALLOW_CREDENTIALS)), (allowed, credentials));
        assert!(value(&told, VARY).unwrap().starts_with("Origin"));
    }
}

#[test]
fn a_page_gets_the_method_and_the_headers_that_it_asks_for() {
    let asked = Asked::default()
        .with(REQUEST_METHOD, "PATCH")
        .with(REQUEST_HEADERS, "content-type,payment-signature, X-Api-Key,authorization,x-request-id");
    let told = answer(None, &asked);
    assert_eq!(told.status, 204);
    assert_eq!(value(&told, ALLOW_METHODS), Some("PATCH"));
    assert_eq!(
        value(&told, ALLOW_HEADERS),
        Some(format!("content-type, x-api-key, authorization, x-request-id, {PAYMENT_HEADERS}").as_str())
    );
    assert_eq!((value(&told, ALLOW_ORIGIN), value(&told, ALLOW_CREDENTIALS)), (Some("*"), None));
}

#[test]
fn what_is_ours_or_no_header_at_all_is_not_allowed() {
    let asked = "x-tenant-id, X-Platform-Token, payment-response, x y, a\u{7f}, , \"q\", x-payment-anything";
    let told = answer(None, &Asked::default().with(REQUEST_HEADERS, asked).with(REQUEST_METHOD, "GET, POST"));
    assert_eq!((value(&told, ALLOW_HEADERS), value(&told, ALLOW_METHODS)), (Some(PAYMENT_HEADERS), None));
    for method in ["TRACE", "connect", "", "G\tT"] {
        assert_eq!(value(&answer(None, &Asked::default().with(REQUEST_METHOD, method)), ALLOW_METHODS), None);
    }
    let long = vec!["x-a"; 2_000].join(",");
    assert_eq!(
        value(&answer(None, &Asked::default().with(REQUEST_HEADERS, &long)), ALLOW_HEADERS),
        Some(PAYMENT_HEADERS)
    );
}

#[test]
fn what_a_record_lists_bounds_what_is_allowed() {
    let policy = policy(r#"{"methods":["GET","POST"],"headers":["content-type"],"maxAgeSeconds":5}"#);
    let asked = Asked::default().with(REQUEST_METHOD, "DELETE").with(REQUEST_HEADERS, "Content-Type, x-api-key");
    let told = answer(Some(&policy), &asked);
    assert_eq!(value(&told, ALLOW_METHODS), Some("GET, POST"));
    assert_eq!(value(&told, ALLOW_HEADERS), Some(format!("content-type, {PAYMENT_HEADERS}").as_str()));
    assert_eq!(value(&told, MAX_AGE), Some("5"));
}

#[test]
fn a_preflight_of_a_tenant_that_gives_is_its_own_where_it_lets_pages_in() {
    let headers = |list: &[(&str, &str)]| content(list).set;
    let open = headers(&[(ALLOW_ORIGIN, "*"), (ALLOW_HEADERS, "content-type")]);
    let set = added_to_preflight(204, &open).unwrap();
    assert_eq!(set, [(ALLOW_HEADERS.to_owned(), format!("content-type, {PAYMENT_HEADERS}"))]);
    assert_eq!(added_to_preflight(404, &open), None);
    assert_eq!(added_to_preflight(204, &[]), None);
}

proptest! {
    #[test]
    fn no_question_makes_an_answer_that_is_no_header(method in ".{0,300}", headers in ".{0,5000}", origin in ".{0,50}") {
        let asked = Asked::default().with(REQUEST_METHOD, &method).with(REQUEST_HEADERS, &headers).with(ORIGIN, &origin);
        let listed = policy(r#"{"origins":["https://app.example"]}"#);
        for told in [answer(None, &asked), answer(Some(&listed), &asked)] {
            prop_assert_eq!(told.status, 204);
            prop_assert!(matches!(&told.body, Body::Bytes(body) if body.is_empty()));
            for (_, value) in &told.set {
                prop_assert!(value.len() <= 2 * MAX_ASKED_BYTES && value.bytes().all(|b| b.is_ascii_graphic() || b == b' '));
            }
        }
    }
}
