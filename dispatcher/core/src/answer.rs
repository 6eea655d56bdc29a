//! What leaves the dispatcher: its own bytes, or a tenant's response passed through with some headers changed.

use crate::{passed::Passed, refusal::Refusal};
use serde_json::{Value, json};

/// An answer. `R` is the platform's response type, whose body may be a stream.
#[derive(Debug)]
pub struct Answer<R> {
    pub status: u16,
    pub body: Body<R>,
    /// Set on the answer, over whatever the tenant said.
    pub set: Vec<(String, String)>,
    /// Taken off a tenant's response before.
    pub strip: Vec<String>,
}

#[derive(Debug)]
pub enum Body<R> {
    Bytes(Vec<u8>),
    /// A tenant's response as it is, its stripped headers aside. See [`Passed`] for which ones may be one.
    Tenant(Passed<R>),
}

impl<R> Answer<R> {
    /// `{"error": {"code", "message", "request_id"}}`: never a stack, never another party's text.
    #[must_use]
    pub fn refusal(refusal: &Refusal, request_id: &str) -> Self {
        let error = json!({"code": refusal.code(), "message": refusal.message(), "request_id": request_id});
        // A cache may keep a 404 that says nothing, and no later caller should be told of this one's failure.
        let answer = Self::json(refusal.status(), &json!({"error": error})).with("cache-control", "no-store");
        match refusal.retry_after_s() {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::json_text(status, value.to_string())
    }

    /// Answers with text that is JSON already.
    #[must_use]
    pub fn json_text(status: u16, text: String) -> Self {
        let set = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, body: Body::Bytes(text.into_bytes()), set, strip: Vec::new() }
    }

    /// Sets a header in place of every other of its name: to append one would leave two words on one matter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.set.push((name.to_owned(), value.into()));
        self
    }

    /// Takes a header off, whoever said it.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.set.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.strip.push(name.to_owned());
        self
    }
}
