//! What the ledger is to a request, and what it needs of its place: storage, names, and somebody to tell.

use super::{
    Claim, ClaimReply, Collection, Departed, Record, SettleReply,
    identifier::{Bound, Owner, ScopedIdentifier},
};
use crate::{UnixMillis, ledger_error::LedgerError, response::PaidResponse, telemetry::PaymentEvent};
use std::future::Future;

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
    /// Tells the same of many at once. Gives those that could not be noted.
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

/// The store of one payment's record. Written before each effect, so that a crash between two writes loses nothing.
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

/// Takes the paywall's events. Must not fail and must not wait: telemetry never holds up a payment.
pub trait PaymentLog {
    fn record(&self, event: &PaymentEvent<'_>);
    /// Tells what keeps a payment from its end, for whoever runs the deployment.
    fn trouble(&self, payment: &str, why: &str);
    /// Alerts that a payment's alarm could not do its work. It rings again, and nobody may ever come to ask.
    fn stuck(&self, payment: &str, error: &LedgerError);
}
