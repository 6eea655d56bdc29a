//! What a client asks of the dispatcher, as HTTP has it.

use super::schedule::Arrival;
use reqwest::Method;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub method: Method,
    pub tenant: String,
    /// By the tenant's host, or by `/t/<slug>`: the same request either way.
    pub by_host: bool,
    /// The path as the tenant sees it.
    pub path: String,
    pub query: String,
    /// Empty where there is none.
    pub body: String,
}

impl Ask {
    /// The number makes every arrival's a request of its own, which is what a payment is bound to.
    #[must_use]
    pub fn of(arrival: &Arrival) -> Self {
        Self {
            method: Method::GET,
            tenant: arrival.tenant.as_str().to_owned(),
            by_host: arrival.by_host,
            path: arrival.path.as_str().to_owned(),
            query: format!("arrival={}", arrival.number),
            body: String::new(),
        }
    }

    /// Path and query at the dispatcher.
    #[must_use]
    pub fn target(&self) -> String {
        let Self { tenant, path, query, .. } = self;
        if self.by_host { format!("{path}?{query}") } else { format!("/t/{tenant}{path}?{query}") }
    }
}
