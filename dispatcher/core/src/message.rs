//! A request and a response, as far as the dispatcher looks at them. Whatever reads one needs nothing else of a platform.

use std::future::Future;

/// A request as it arrived. Headers are looked up one by one, because a platform may have to cross into another runtime
/// for each.
pub trait Inbound {
    fn method(&self) -> &str;
    /// Scheme and host, as the caller addressed us: `https://api.acme.example`.
    fn origin(&self) -> &str;
    /// The host as it was sent, port included.
    fn host(&self) -> &str;
    /// Percent-encoded, with a leading slash.
    fn path(&self) -> &str;
    fn query(&self) -> Option<&str>;
    fn header(&self, name: &str) -> Option<String>;
    /// The whole body, unless it has more than `limit` bytes. The tenant gets it all the same. A GET and a HEAD have none,
    /// whatever came with them (RFC 9110, 9.3.1).
    fn body(&self, limit: usize) -> impl Future<Output = Result<Vec<u8>, CollectError>>;
}

/// A tenant's response.
pub trait Outbound {
    fn status(&self) -> u16;
    /// In order; a name may repeat.
    fn headers(&self) -> Vec<(String, String)>;
    /// Reads the whole body, unless it has more than `limit` bytes.
    fn collect(self, limit: usize) -> impl Future<Output = Result<Vec<u8>, CollectError>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectError {
    TooLarge,
    /// The body broke off.
    Broken,
}
