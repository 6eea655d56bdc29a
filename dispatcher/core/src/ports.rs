//! What the dispatcher needs of a platform beside the paywall's ports.

use crate::{
    dispatch_key::DispatchKey,
    plan::Limits,
    telemetry::{Alert, DirectoryEvent, RequestLine},
    tenant::Tenant,
    tenant_failure::TenantFailure,
};
use std::{future::Future, rc::Rc};

/// A request as it arrived. Headers are looked up one by one, because a platform may have to cross into another runtime
/// for each.
pub trait Inbound {
    fn method(&self) -> &str;
    /// Scheme and host, as the caller addressed us: `https://api.acme.example`.
    fn origin(&self) -> &str;
    /// As sent, port included.
    fn host(&self) -> &str;
    /// Percent-encoded, with a leading slash.
    fn path(&self) -> &str;
    fn query(&self) -> Option<&str>;
    fn header(&self, name: &str) -> Option<String>;
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
    /// The tenant's body broke off.
    Broken,
}

/// One dispatch into the namespace.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch<'a> {
    pub script: &'a str,
    pub limits: Limits,
    /// As the tenant is to see it.
    pub path: &'a str,
    /// Which headers to take off the inbound request, by their lower-case names.
    pub strip: fn(&str) -> bool,
    /// Headers to set on it.
    pub set: &'a [(&'a str, &'a str)],
}

/// The dispatch namespace.
pub trait Namespace {
    type Inbound: Inbound;
    type Outbound: Outbound;
    /// Runs the tenant's Worker on `request`, whose body it may consume.
    fn run(
        &self,
        dispatch: Dispatch<'_>,
        request: &Self::Inbound,
    ) -> impl Future<Output = Result<Self::Outbound, TenantFailure>>;
}

/// Who is behind a host or a slug.
pub trait Tenants {
    fn behind(&self, key: &DispatchKey) -> impl Future<Output = Result<Option<Rc<Tenant>>, DirectoryUnavailable>>;
}

/// Nothing can be said of any tenant right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryUnavailable;

/// Where snapshots of the directory lie, by key.
pub trait SnapshotStore {
    /// `None`: there is no such key. The error is for the log.
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, String>>;
}

/// Takes what is to be known of the directory. Must not fail and must not wait.
pub trait DirectoryLog {
    fn record(&self, event: &DirectoryEvent);
}

pub trait Randomness {
    /// Unique, and not to be guessed: it holds the claim on a payment.
    fn request_id(&self) -> String;
    /// For what is only to be spread, such as pauses.
    fn seed(&self) -> u64;
}

/// Takes one line per request. Must not fail and must not wait.
pub trait RequestLog {
    fn record(&self, line: &RequestLine);
    fn alert(&self, alert: &Alert);
}
