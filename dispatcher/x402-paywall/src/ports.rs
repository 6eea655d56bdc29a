//! What the paywall needs of the world. Futures need not be `Send`: the adapters of record run on one thread.

use crate::{
    UnixMillis,
    facilitator::{AuthHeader, token::SigningKey},
    health::Snapshot,
    ledger::{
        Claim, ClaimReply, Collection, Departed, Record, SettleReply,
        identifier::{Bound, Owner, ScopedIdentifier},
    },
    response::PaidResponse,
    telemetry::{FacilitatorAlert, PaymentEvent, StandingChange},
};
use std::future::Future;

pub trait Clock {
    fn now(&self) -> UnixMillis;
    fn sleep(&self, millis: u64) -> impl Future<Output = ()>;
}

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
}

/// The deployment's secrets. Read when the configuration is, and never told to anyone but the facilitator they are for.
pub trait Secrets {
    fn secret(&self, name: &str) -> Option<String>;
}

impl Secrets for std::collections::BTreeMap<String, String> {
    fn secret(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
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

/// Signs tokens for facilitators that want one for each call.
pub trait CredentialSigner {
    /// The signature of the message: 64 bytes.
    fn sign(&self, key: &SigningKey, message: &[u8]) -> impl Future<Output = Result<Vec<u8>, SignError>>;
    /// Some letters and digits that are never the same twice.
    fn nonce(&self) -> String;
}

/// The signature could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credential could not be signed")]
pub struct SignError;

/// Signs nothing: for adapters whose facilitators want no tokens.
#[derive(Clone, Copy, Debug)]
pub struct NoSigner;

impl CredentialSigner for NoSigner {
    async fn sign(&self, _key: &SigningKey, _message: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError)
    }

    fn nonce(&self) -> String {
        String::new()
    }
}

/// The settlement ledger as the request's side sees it: one single-threaded record per payment key.
pub trait Ledger {
    /// Claims the payment for one request and has it verified. The only round trip before the tenant runs.
    fn claim(&self, claim: Claim, holder: &str) -> impl Future<Output = Result<ClaimReply, LedgerError>>;
    /// Asks for what the payment bought before. In place of a claim, where nothing is to begin.
    fn collect(&self, collection: Collection, holder: &str) -> impl Future<Output = Result<ClaimReply, LedgerError>>;
    /// Hands in the tenant's response and has the payment settled. The only round trip after the tenant ran.
    fn settle(
        &self,
        payment: &str,
        holder: &str,
        response: &PaidResponse,
    ) -> impl Future<Output = Result<SettleReply, LedgerError>>;
    /// Gives the claim back unused: the tenant failed, so nobody pays.
    fn release(&self, payment: &str, holder: &str) -> impl Future<Output = Result<(), LedgerError>>;
    /// The response left for the caller (`delivered`), or the caller was gone before it could.
    fn handed_over(
        &self,
        payment: &str,
        holder: &str,
        delivered: bool,
    ) -> impl Future<Output = Result<(), LedgerError>>;
    /// The same for many at once. Gives those that could not be noted.
    fn all_handed_over(&self, departed: Vec<Departed>) -> impl Future<Output = Vec<(String, LedgerError)>> {
        async move {
            let mut failed = Vec::new();
            for Departed { payment, holder, delivered } in departed {
                let noted = self.handed_over(&payment, &holder, delivered).await;
                failed.extend(noted.err().map(|error| (payment, error)));
            }
            failed
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("settlement ledger: {0}")]
pub struct LedgerError(pub String);

impl LedgerError {
    /// What was asked is of another version than we are.
    #[must_use]
    pub fn another_question() -> Self {
        Self("the object answered another question".to_owned())
    }
}

/// Where one payment's record lives. Written before each effect, so that a crash between two writes loses nothing.
pub trait RecordStore {
    fn load(&self) -> impl Future<Output = Result<Option<Record>, LedgerError>>;
    /// Stores the record, and the response body with it where one is given. Durable before anything that is done
    /// after it can be seen outside.
    fn save(&self, record: &Record, body: Option<&[u8]>) -> impl Future<Output = Result<(), LedgerError>>;
    /// The stored response body.
    fn body(&self) -> impl Future<Output = Result<Vec<u8>, LedgerError>>;
    /// Drops the stored body and keeps the record.
    fn drop_body(&self) -> impl Future<Output = Result<(), LedgerError>>;
    /// Wakes the keeper at `at`, in place of any earlier wish.
    fn wake_at(&self, at: UnixMillis) -> impl Future<Output = Result<(), LedgerError>>;
    /// Removes everything: record, body and alarm.
    fn forget(&self) -> impl Future<Output = Result<(), LedgerError>>;
}

/// Which payment has a name: a `payment-identifier` of a seller's, or a transaction that paid for it. Each name lives in one
/// single-threaded place, apart from the payments.
pub trait Identifiers {
    /// Binds the identifier to `owner`'s payment, unless another payment has it.
    fn bind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> impl Future<Output = Result<Bound, LedgerError>>;
    /// Gives it back, if `owner` still has it.
    fn unbind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> impl Future<Output = Result<(), LedgerError>>;
    /// Notes that `owner`'s payment was settled in this transaction, unless another payment of the same payer was.
    fn bind_transaction(&self, transaction: &str, owner: &Owner) -> impl Future<Output = Result<Bound, LedgerError>>;
    /// The transaction in which a payment was settled, from that payment's own record.
    fn transaction_of(&self, payment: &str) -> impl Future<Output = Result<Option<String>, LedgerError>>;
}

/// Where the merged view of all facilitators' health outlives a restart.
pub trait HealthStore {
    fn load(&self) -> impl Future<Output = Result<Option<Snapshot>, LedgerError>>;
    fn save(&self, snapshot: &Snapshot) -> impl Future<Output = Result<(), LedgerError>>;
    /// Wakes the monitor at `at`, in place of any earlier wish.
    fn wake_at(&self, at: UnixMillis) -> impl Future<Output = Result<(), LedgerError>>;
}

/// Takes changes of facilitators' standing. Must not fail and must not wait.
pub trait HealthLog {
    fn record(&self, change: &StandingChange);
    /// Something that an operator has to mend.
    fn alert(&self, alert: &FacilitatorAlert);
}

/// Takes the paywall's events. Must not fail and must not wait: telemetry never holds up a payment.
pub trait PaymentLog {
    fn record(&self, event: &PaymentEvent<'_>);
    /// Tells what keeps a payment from its end, for whoever runs the deployment.
    fn trouble(&self, payment: &str, why: &str);
    /// Alerts that a payment's alarm could not do its work. It rings again, and nobody may ever come to ask.
    fn stuck(&self, payment: &str, error: &LedgerError);
}
