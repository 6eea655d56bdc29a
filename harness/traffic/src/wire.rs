//! How a client's request reaches a dispatcher: over HTTP, or through a simulated network. What a client does and what is
//! written down of it is the same either way.

use futures_util::future::BoxFuture;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use std::time::Duration;

/// A caller's patience: longer than any dispatcher may take, so that a request which never ends is seen as one.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct WireRequest {
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// In place of the dispatcher's own.
    pub host: Option<String>,
    pub headers: Vec<(&'static str, HeaderValue)>,
    /// Empty where there is none.
    pub body: String,
    /// The time after the head in which nothing of the body comes.
    pub body_after: Duration,
}

/// A whole answer, body included.
pub struct WireAnswer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// No whole answer came: what the client's HTTP stack said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

pub trait Wire: Send + Sync {
    /// How many dispatchers can be reached; at least one.
    fn dispatchers(&self) -> usize;
    /// Asks the dispatcher of that position, counted from 0. Dropping the future hangs up.
    fn send(&self, dispatcher: usize, request: WireRequest) -> BoxFuture<'_, Result<WireAnswer, Broken>>;
}
