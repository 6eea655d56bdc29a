//! A client that would be an operator: it guesses at the platform's token, makes up sessions, and asks at a tenant's host for what
//! operators alone may see. It may have nothing of that, and few guesses.

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
    role: ClientRole::Intruder,
    ..About::buyer(
        Listed::new("guesser", "guesses at the platform's token, and asks for what operators alone may see", "1"),
        AN_ATTACK,
    )
};

/// One thing to ask for, and how.
struct Attempt {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

const fn get(path: &'static str, headers: &'static [(&'static str, &'static str)]) -> Attempt {
    Attempt { method: "GET", path, query: "", headers, body: "" }
}

/// Guesses, each of which counts.
const GUESSES: [Attempt; 4] = [
    get("/__platform/facilitators", &[("authorization", "Bearer 0123456789abcdef0123456789abcdef")]),
    get("/__platform/quarantines", &[("authorization", "Bearer ")]),
    get("/__platform/open", &[("authorization", "bearer platform"), ("x-platform-token", "platform")]),
    Attempt {
        method: "DELETE",
        body: "{}",
        ..get("/__platform/tenants/acme/quarantine", &[("authorization", "Basic cGxhdGZvcm06cGxhdGZvcm0=")])
    },
];

/// Without a token: a session that nobody began, one that a page of another origin begins, and the page itself, at a host where
/// tenants' pages are.
const TRESPASSES: [Attempt; 6] = [
    get("/__platform/quarantines", &[("cookie", "__Secure-platform=99999999999999.00; platform=1")]),
    get("/__platform/dashboard", &[]),
    get("/__platform/dashboard.js", &[("sec-fetch-site", "same-origin")]),
    Attempt { query: "token=platform&authorization=Bearer%20platform", ..get("/__platform/events", &[]) },
    Attempt {
        method: "POST",
        body: "token=platform",
        ..get(
            "/__platform/session",
            &[("content-type", "application/x-www-form-urlencoded"), ("origin", "https://thief.example")],
        )
    },
    get("/__platform/ledger", &[("origin", "null"), ("sec-fetch-site", "cross-site")]),
];

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let number = visit.arrival.number as usize;
    attempt(visit, &GUESSES[number % GUESSES.len()], true).await;
    if let Some(trespass) = TRESPASSES.get(number % 40) {
        attempt(visit, trespass, false).await;
    }
    Vec::new()
}

async fn attempt(visit: &Visit<'_>, attempt: &Attempt, is_first: bool) {
    let Attempt { method, path, query, headers, body } = attempt;
    let ask = Ask {
        method: Method::from_bytes(method.as_bytes()).expect("a token is a method"),
        by_host: true,
        path: (*path).to_owned(),
        query: (*query).to_owned(),
        body: (*body).to_owned(),
        ..Ask::of(visit.arrival)
    };
    let sending = Sending::new(&ask, ExchangeKind::Unpaid).headers(headers);
    visit.send(if is_first { sending.due(visit.arrival.due_us) } else { sending }).await;
}
