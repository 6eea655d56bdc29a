//! What leaves the dispatcher: its own bytes, or a tenant's response passed through with some headers changed.

use crate::refusal::Refusal;
use serde_json::json;

/// An answer. `R` is the platform's response type, whose body may be a stream.
#[derive(Debug)]
pub struct Answer<R> {
    pub status: u16,
    pub body: Body<R>,
    /// Set on the answer, over whatever the tenant said.
    pub set: Vec<(String, String)>,
}

#[derive(Debug)]
pub enum Body<R> {
    Bytes(Vec<u8>),
    /// The tenant's response as it is, its stripped headers aside.
    Tenant(R),
}

impl<R> Answer<R> {
    /// `{"error": {"code", "message", "request_id"}}`: never a stack, never another party's text.
    #[must_use]
    pub fn refusal(refusal: &Refusal, request_id: &str, headers: Vec<(&'static str, String)>) -> Self {
        let error = json!({
            "error": {"code": refusal.code(), "message": refusal.message(), "request_id": request_id}
        });
        let mut set = vec![("content-type".to_owned(), "application/json".to_owned())];
        set.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Self { status: refusal.status(), body: Body::Bytes(error.to_string().into_bytes()), set }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set.push((name.to_owned(), value.into()));
        self
    }
}
