//! What is sent to facilitators, what comes back, and what sends it.

use super::AuthHeader;
use crate::trace;
use std::future::Future;

/// Sends requests to facilitators.
pub trait FacilitatorTransport {
    /// One exchange, whole answer included, within its time-out. A redirect is not followed: its answer has the status,
    /// and the text of `Location` as its body.
    fn send(&self, request: HttpRequest<'_>) -> impl Future<Output = Result<FacilitatorAnswer, TransportError>>;
}

/// A request to be sent. Has no `Debug`: its headers may be credentials.
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    pub url: &'a str,
    /// Beside those that say that JSON is sent and wanted. [`AuthHeader::value`] makes each one's value.
    pub headers: &'a [AuthHeader],
    /// JSON to POST; `None` is a GET.
    pub json: Option<&'a str>,
    pub timeout_ms: u64,
    /// The trace and the request that the call belongs to, for whoever is asked to log.
    pub origin: Option<&'a trace::Origin>,
}

/// Largest answer read from a facilitator. Real ones take under 2 kB; the rest is room for extensions.
pub const MAX_FACILITATOR_ANSWER_BYTES: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilitatorAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// No whole answer came. Whether the facilitator acted is unknown for all of these: a refused connection looks the same
/// to a Worker as one that was reset after the request had gone out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    #[error("unreachable")]
    Unreachable,
    #[error("timeout")]
    Timeout,
    #[error("answer_too_large")]
    TooLarge,
    #[error("redirect")]
    Redirect,
    /// The credential for the call could not be made, so nothing was sent.
    #[error("credential_not_made")]
    Unsigned,
}
