//! Why a request could not be read off a caller's connection, and how long one may be.

/// A facilitator request's line and headers are a few hundred bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// A payment is about 1 kB; with extensions and a smart account's signature, some 10 kB.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Why a request could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The caller closed or reset the connection in mid-request.
    #[error("caller went away")]
    Gone,
    #[error("request is no HTTP/1.1: {0}")]
    NotHttp(String),
    #[error("request head is over {MAX_HEAD_BYTES} bytes")]
    HeadTooLarge,
    #[error("request body is over {MAX_BODY_BYTES} bytes")]
    BodyTooLarge,
}
