//! What lets a page on another origin pay: it may read what we say of payments, and may send one.
//!
//! A tenant that sells is never asked whether a page may: its answer would leave unpaid. Its record says so (`cors`), and
//! where that says nothing, every page may, without credentials: `*` and a browser's cookies exclude each other, and a
//! payment needs none. A tenant that gives is asked, and what it says stands.

pub use crate::cors_policy::{CorsRecord, Policy};

use crate::cors_policy::{is_token, may_be_sent};
use crate::{
    answer::{Answer, Body},
    hygiene,
    message::{Inbound, Outbound},
};
use x402_protocol::Version;

pub const ALLOW_ORIGIN: &str = "access-control-allow-origin";
pub const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
pub const ALLOW_HEADERS: &str = "access-control-allow-headers";
pub const ALLOW_METHODS: &str = "access-control-allow-methods";
pub const EXPOSE_HEADERS: &str = "access-control-expose-headers";
const MAX_AGE: &str = "access-control-max-age";
const ORIGIN: &str = "origin";
const VARY: &str = "vary";
const REQUEST_METHOD: &str = "access-control-request-method";
const REQUEST_HEADERS: &str = "access-control-request-headers";

/// The headers of our answers that a page may read.
const EXPOSED: &str = "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X-Request-Id, X-Tenant-Id, Retry-After";

/// The headers that a page may always send. The last is no header of a request at all, but the official clients set it
/// on theirs, and a browser asks for it.
const PAYMENT_HEADERS: &str = "PAYMENT-SIGNATURE, X-PAYMENT, SIGN-IN-WITH-X, Access-Control-Expose-Headers";

/// Seconds for which a browser need not ask again.
const OUR_MAX_AGE_S: u32 = 600;

/// Bounds what an answer repeats of a question. A page sends a dozen headers at most.
const MAX_ASKED_BYTES: usize = 4_096;
const MAX_ASKED_NAMES: usize = 100;

/// The readers of the answers to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    /// `None`: no page of the request's origin.
    allowed: Option<String>,
    credentials: bool,
    /// The record says who may: then a tenant's own word on it does not count.
    by_record: bool,
    varies: bool,
}

impl Default for Readers {
    /// Every page, unless the tenant says otherwise.
    fn default() -> Self {
        Self { allowed: Some("*".to_owned()), credentials: false, by_record: false, varies: false }
    }
}

impl Readers {
    /// The readers that the tenant's record names, as far as the request is from one of them.
    #[must_use]
    pub fn of(policy: Option<&Policy>, request: &impl Inbound) -> Self {
        let Some(policy) = policy else { return Self::default() };
        let Some(origins) = &policy.origins else { return Self { by_record: true, ..Self::default() } };
        let allowed = request.header(ORIGIN).filter(|origin| origins.contains(origin));
        Self { allowed, credentials: policy.credentials, by_record: true, varies: true }
    }

    /// Lets them read an answer of ours.
    #[must_use]
    pub fn of_ours<O>(&self, answer: Answer<O>) -> Answer<O> {
        self.admitted(answer.with(EXPOSE_HEADERS, EXPOSED), &[])
    }

    /// Lets them read what a tenant that sells has answered. Where its record says nothing, its own word on who may stands.
    #[must_use]
    pub fn of_theirs<O: Outbound>(&self, answer: Answer<O>) -> Answer<O> {
        let said = match &answer.body {
            Body::Tenant(response) => response.headers(),
            Body::Bytes(_) => answer.set.clone(),
        };
        let answer = answer.with(EXPOSE_HEADERS, joined(&said, EXPOSE_HEADERS, EXPOSED));
        let stands = !self.by_record && has(&said, ALLOW_ORIGIN);
        if stands { answer } else { self.admitted(answer, &said) }
    }

    fn admitted<O>(&self, answer: Answer<O>, said: &[(String, String)]) -> Answer<O> {
        let answer = match &self.allowed {
            Some(origin) => answer.with(ALLOW_ORIGIN, origin.as_str()),
            None => answer.without(ALLOW_ORIGIN),
        };
        let answer = match (self.credentials && self.allowed.is_some(), self.by_record) {
            (true, _) => answer.with(ALLOW_CREDENTIALS, "true"),
            (false, true) => answer.without(ALLOW_CREDENTIALS),
            (false, false) => answer,
        };
        if self.varies { answer.with(VARY, joined(said, VARY, "Origin")) } else { answer }
    }
}

/// Whether a preflight asks for leave to send a payment.
#[must_use]
pub fn asks_to_pay(preflight: &impl Inbound) -> bool {
    let payment_headers = [Version::V2, Version::V1].map(Version::payment_header);
    let is_one = |name: &str| payment_headers.iter().any(|header| name.trim().eq_ignore_ascii_case(header));
    preflight.header(REQUEST_HEADERS).is_some_and(|names| names.split(',').any(is_one))
}

/// Returns the headers to set on the answer to a preflight of a tenant that gives. `None`: the tenant lets no page in,
/// so that the answer must be ours.
#[must_use]
pub fn added_to_preflight(status: u16, tenants: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let lets_in = (200..300).contains(&status) && has(tenants, ALLOW_ORIGIN);
    lets_in.then(|| vec![(ALLOW_HEADERS.to_owned(), joined(tenants, ALLOW_HEADERS, PAYMENT_HEADERS))])
}

/// Our answer to a preflight: the method and the headers that are asked for, within what the policy lists, and the payment.
#[must_use]
pub fn preflight<O>(policy: Option<&Policy>, asked: &impl Inbound) -> Answer<O> {
    let empty = Answer { status: 204, body: Body::Bytes(Vec::new()), set: Vec::new(), strip: Vec::new() };
    let asks = "Access-Control-Request-Method, Access-Control-Request-Headers";
    let readers = Readers::of(policy, asked);
    let varies = if readers.varies { format!("Origin, {asks}") } else { asks.to_owned() };
    if readers.allowed.is_none() {
        return empty.with(VARY, varies);
    }
    let answer = readers.admitted(empty, &[]).with(VARY, varies);
    let answer = answer.with(ALLOW_HEADERS, headers(policy, &asked.header(REQUEST_HEADERS).unwrap_or_default()));
    let answer = answer.with(MAX_AGE, policy.and_then(|policy| policy.max_age_s).unwrap_or(OUR_MAX_AGE_S).to_string());
    let wanted = asked.header(REQUEST_METHOD).filter(|method| is_token(method) && may_be_sent(method));
    match policy.and_then(|policy| policy.methods.as_ref()) {
        Some(listed) => answer.with(ALLOW_METHODS, listed.join(", ")),
        None => match wanted {
            Some(method) => answer.with(ALLOW_METHODS, method),
            None => answer,
        },
    }
}

/// The headers that a page may send, of those that it asks for.
fn headers(policy: Option<&Policy>, asked: &str) -> String {
    let listed = policy.and_then(|policy| policy.headers.as_ref());
    let always: Vec<_> = PAYMENT_HEADERS.split(", ").map(str::to_ascii_lowercase).collect();
    let mut allowed: Vec<String> = Vec::new();
    let names = asked.split(',').map(|name| name.trim().to_ascii_lowercase());
    if asked.len() <= MAX_ASKED_BYTES {
        for name in names.take(MAX_ASKED_NAMES) {
            let is_new = !always.contains(&name) && !allowed.contains(&name);
            let is_open = is_token(&name) && !hygiene::is_closed_to_pages(&name);
            if is_new && is_open && listed.is_none_or(|listed| listed.contains(&name)) {
                allowed.push(name);
            }
        }
    }
    allowed.iter().map(String::as_str).chain([PAYMENT_HEADERS]).collect::<Vec<_>>().join(", ")
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
mod tests;
