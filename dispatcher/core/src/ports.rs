//! What the dispatcher needs of a platform beside the paywall's ports.

use crate::{
    dispatch_key::DispatchKey,
    egress::PolicyOf,
    operations::{
        question::{Asked, DeskError, Told},
        token::Tokens,
    },
    plan::Limits,
    telemetry::{Alert, DirectoryEvent, OperatorLine, RequestLine, Trouble, outbox::Parcel},
    tenant::Tenant,
    tenant_failure::TenantFailure,
};

pub use crate::message::{CollectError, Inbound, Outbound};

use serde_json::Value;
use std::{future::Future, rc::Rc};
use x402_paywall::{
    health::{News, Snapshot},
    ledger::books::{Entry, OnChain, Span},
    ports::LedgerError,
};

/// One dispatch into the namespace.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch<'a> {
    pub script: &'a str,
    pub limits: Limits,
    /// For the outbound Worker.
    pub egress: PolicyOf<'a>,
    /// The path as the tenant is to see it.
    pub path: &'a str,
    /// Whether to take a header off the inbound request, by its lower-case name and its value.
    pub strip: fn(&str, &str) -> bool,
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

/// The tenants behind hosts and slugs.
pub trait Tenants {
    fn behind(&self, key: &DispatchKey) -> impl Future<Output = Result<Option<Rc<Tenant>>, DirectoryUnavailable>>;
}

/// Nothing can be said of any tenant right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryUnavailable;

/// A figure that the platform counts up to: requests in ten seconds at one of its locations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung(u32);

impl Rung {
    /// Each has a binding, `RATE_<figure>`, because a binding's limit is its own and not the call's.
    pub const ALL: [Self; 6] = [Self(20), Self(100), Self(500), Self(2_000), Self(10_000), Self(50_000)];

    /// The lowest that is not below it. `None`: the platform counts no such figure for us.
    #[must_use]
    pub fn at_least(figure: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.0 >= figure)
    }

    #[must_use]
    pub fn figure(self) -> u32 {
        self.0
    }

    /// Name of its binding.
    #[must_use]
    pub fn binding(self) -> String {
        format!("RATE_{}", self.0)
    }
}

/// The counters that all isolates of a location share.
pub trait RateLimiter {
    /// Counts one more under `key`; whether that was within the rung's figure. Where nobody can tell, it was.
    fn count(&self, rung: Rung, key: &str) -> impl Future<Output = bool>;
}

/// The store of the directory's snapshots, by key.
pub trait SnapshotStore {
    /// `None`: there is no such key. The error is for the log.
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, String>>;
}

/// Runs work beside an answer, which does not wait for it.
pub trait Later {
    fn run(&self, work: impl Future<Output = ()> + 'static);
}

/// The one object that merges what all boards saw of facilitators.
pub trait HealthObject {
    fn exchange(&self, news: News) -> impl Future<Output = Result<Snapshot, LedgerError>>;
    /// Returns what it knows, as JSON for operators.
    fn describe(&self) -> impl Future<Output = Result<Value, LedgerError>>;
}

/// The settlement ledger as an operator asks it.
pub trait PaymentRecords {
    /// Returns what the ledger knows of a payment, as JSON.
    fn describe(&self, payment: &str) -> impl Future<Output = Result<Value, LedgerError>>;
    /// Returns the chain's word on a payment.
    fn on_chain(&self, payment: &str) -> impl Future<Output = Result<OnChain, LedgerError>>;
    /// Returns what all shards have settled in a span of time, by time and key, and `limit` at most.
    fn settled(&self, span: &Span, limit: u32) -> impl Future<Output = Result<Vec<Entry>, LedgerError>>;
    /// Returns the payments of all shards whose settlement is open, the longest open first, and `limit` at most.
    fn open(&self, limit: u32) -> impl Future<Output = Result<Vec<Entry>, LedgerError>>;
}

/// The queue of events, behind which they are kept.
pub trait EventQueue {
    /// Sends a batch. It is kept once, however often the platform delivers it. The error is for the log.
    fn send(&self, parcel: &Parcel) -> impl Future<Output = Result<(), String>>;
}

/// The desk at which questions about what was kept are answered.
pub trait Desk {
    fn ask(&self, asked: &Asked) -> impl Future<Output = Result<Told, DeskError>>;
}

/// The secrets that let an operator in.
pub trait OperatorSecrets {
    /// Returns the platform's tokens. Without any nobody gets in.
    fn tokens(&self) -> Tokens;
}

/// Takes what went wrong beside a request's story. Must not fail and must not wait.
pub trait TroubleLog {
    fn trouble(&self, trouble: &Trouble<'_>);
    /// Takes what an operator did, or was not let do.
    fn operator(&self, line: &OperatorLine);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn every_rate_of_a_plan_is_a_rung_and_every_rung_a_binding() {
        for plan in [Plan::Free, Plan::Pro, Plan::Business, Plan::Enterprise, Plan::Quarantine] {
            let rates = plan.rates();
            for figure in [rates.tenant, rates.payer, rates.address] {
                assert_eq!(Rung::at_least(figure).map(Rung::figure), Some(figure), "{plan:?}");
            }
        }
        let wrangler = include_str!("../../worker/wrangler.jsonc");
        for rung in Rung::ALL {
            let binding = format!(r#""name": "{}""#, rung.binding());
            let limit = format!(r#""simple": {{ "limit": {}, "period": 10 }}"#, rung.figure());
            assert!(wrangler.lines().any(|line| line.contains(&binding) && line.contains(&limit)), "{binding} {limit}");
        }
        assert_eq!(Rung::at_least(50_001), None);
    }
}
