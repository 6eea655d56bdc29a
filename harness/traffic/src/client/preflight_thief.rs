//! A client that asks for what has a price by every method but the usual one, with every header that might excuse it from
//! paying. It pays nothing, and may have nothing: neither a byte of content nor a run of the tenant.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;
use reqwest::Method;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new(
            "preflight-thief",
            "asks for paid content by other methods, preflights among them, and pays nothing",
            "1",
        ),
        AN_ATTACK,
    )
};

/// The methods that a platform lets through to a Worker, beside those that buy.
const METHODS: [&str; 9] = ["OPTIONS", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "REPORT", "SEARCH", "PATCH", "DELETE"];

/// The headers that it sends with each: a browser's question, parts of it, and what other frameworks take for another
/// method.
const EXCUSES: [&[(&str, &str)]; 7] = [
    &[],
    &[("access-control-request-method", "GET")],
    &[("origin", "https://thief.example"), ("access-control-request-method", "GET")],
    &[
        ("origin", "https://thief.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type, payment-signature"),
    ],
    &[("origin", "null"), ("access-control-request-method", ""), ("access-control-request-private-network", "true")],
    &[("x-http-method-override", "GET"), ("x-original-method", "GET")],
    &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("access-control-request-method", "OPTIONS")],
];

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let method = METHODS[visit.arrival.number as usize % METHODS.len()];
    let method = Method::from_bytes(method.as_bytes()).expect("a token is a method");
    let ask = Ask { method, ..Ask::of(visit.arrival) };
    for (nth, excuse) in EXCUSES.iter().enumerate() {
        let sending = Sending::new(&ask, ExchangeKind::Unpaid).headers(excuse);
        let sending = if nth == 0 { sending.due(visit.arrival.due_us) } else { sending };
        visit.send(sending).await;
    }
    Vec::new()
}
