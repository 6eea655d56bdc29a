//! What a shard needs of its platform: a store of rows with one alarm, and a way to where payments lived before.

use crate::{
    UnixMillis,
    ledger::{Record, books::Span, layout::Place, port::RecordStore},
    ledger_error::LedgerError,
};
use std::future::Future;

/// The store of one shard. No operation may cost more as payments grow, but for the logarithm of an index.
pub trait ShardStore {
    /// One payment's place in it. Its `wake_at` notes the time, and sets no alarm.
    type Row: RecordStore;
    fn row(&self, payment: &str) -> Self::Row;
    /// The payments that were to wake by `by`, the longest due first, and `limit` at most.
    fn due(&self, by: UnixMillis, limit: usize) -> impl Future<Output = Result<Vec<String>, LedgerError>>;
    /// The time at which the next payment is due.
    fn least_due(&self) -> impl Future<Output = Result<Option<UnixMillis>, LedgerError>>;
    /// Has stored payments wake at `until`.
    fn postpone(&self, payments: &[String], until: UnixMillis) -> impl Future<Output = Result<(), LedgerError>>;
    /// Has the shard ring at `at`, in place of any earlier wish.
    fn set_alarm(&self, at: UnixMillis) -> impl Future<Output = Result<(), LedgerError>>;
    /// The payments that were settled in a span of time, in the order of their times and keys, and `limit` at most.
    fn settled(&self, asked: &Span, limit: usize) -> impl Future<Output = Result<Vec<Record>, LedgerError>>;
    /// The payments whose settlement is open, the longest open first, and `limit` at most.
    fn open(&self, limit: usize) -> impl Future<Output = Result<Vec<Record>, LedgerError>>;
    /// The number that [`Self::raise_to`] stored, or zero.
    fn raised_to(&self) -> impl Future<Output = Result<u16, LedgerError>>;
    /// Notes that there are so many shards by now.
    fn raise_to(&self, shards: u16) -> impl Future<Output = Result<(), LedgerError>>;
}

/// The place where a payment may have been begun before the number of shards was raised.
pub trait FormerLedger {
    /// Tells whether the payment is there. The place is told the number of shards, and begins nothing any more for whoever
    /// knows of fewer.
    fn has(&self, place: &Place, payment: &str, shards: u16) -> impl Future<Output = Result<bool, LedgerError>>;
}

/// The former ledger of a deployment that never had another number of shards.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFormerLedger;

impl FormerLedger for NoFormerLedger {
    async fn has(&self, _place: &Place, _payment: &str, _shards: u16) -> Result<bool, LedgerError> {
        Ok(false)
    }
}
