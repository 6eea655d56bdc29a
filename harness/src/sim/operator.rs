//! An operator's request, as the platform API takes it.

use super::ports::secrets::TOKEN;
use crate::play::quarantine_body;
use dispatcher_core::paywall::UnixMillis;
use reqwest::{Method, header::HeaderValue};
use scenario::{Does, OperatorAction};
use std::time::Duration;
use traffic::WireRequest;

/// Asks for the books of a span of time.
#[must_use]
pub fn books_request(span: &str) -> WireRequest {
    WireRequest {
        method: Method::GET,
        target: format!("/__platform/reconcile?{span}"),
        host: None,
        headers: vec![("authorization", HeaderValue::try_from(format!("Bearer {TOKEN}")).expect("a plain token"))],
        body: String::new(),
        body_after: Duration::ZERO,
    }
}

/// Makes the request of an action. `now` is the time from which a quarantine lasts.
#[must_use]
pub fn operator_request(action: &OperatorAction, now: UnixMillis) -> WireRequest {
    let (method, body) = match action.does() {
        Does::Quarantine { lasting, .. } => (Method::POST, quarantine_body(*lasting, now.0)),
        Does::LiftQuarantine { .. } => (Method::DELETE, String::new()),
    };
    WireRequest {
        method,
        target: format!("/__platform/tenants/{}/quarantine", action.tenant().as_str()),
        host: None,
        headers: vec![("authorization", HeaderValue::try_from(format!("Bearer {TOKEN}")).expect("a plain token"))],
        body,
        body_after: Duration::ZERO,
    }
}
