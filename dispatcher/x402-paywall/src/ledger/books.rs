//! The ledger as accountants ask it: what was settled in a span of time, and what is open.
//!
//! Surprising: a payment is found by when it was settled, and a record is forgotten after its retention of seven days. So books
//! are kept elsewhere, and this is what they are held against.

use super::{
    Record,
    layout::Layout,
    record::{Delivery, State},
    shard::side_by_side,
};
use crate::{UnixMillis, ledger_error::LedgerError};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// A span of time, and the place in it from which to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first millisecond of it.
    pub from: UnixMillis,
    /// The first millisecond behind it.
    pub to: UnixMillis,
    /// The last payment that was told, with its time.
    #[serde(default)]
    pub after: Option<(UnixMillis, String)>,
}

/// A payment as books have it. Has no signature and no payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `network:asset:from:nonce`.
    pub payment: String,
    pub tenant_id: String,
    /// As [`State::name`] has it.
    pub state: String,
    /// Atomic units, in decimal digits.
    pub amount: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at_ms: Option<UnixMillis>,
    /// When its outcome was first found to be unknown, while that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_since_ms: Option<UnixMillis>,
    pub served: Served,
}

/// The fate of the response that a payment bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// Handed over.
    HandedOver,
    /// It lies ready, or is on its way.
    Ready,
    /// It was paid for first, and the tenant has not given it.
    Owed,
    /// Nothing was settled.
    Nothing,
}

/// The chain's word on a settled payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChain {
    /// The payment is spent there. Where a node can show by what, it is the ledger's transaction.
    Found,
    /// It is spent there, in another transaction than the ledger's.
    Differs,
    /// It is not spent there.
    Missing,
    /// No node could tell.
    NoWord,
    /// No node is configured.
    NoNode,
}

impl From<&Record> for Entry {
    fn from(record: &Record) -> Self {
        let Record { claim, state, .. } = record;
        Self {
            payment: claim.payment.clone(),
            tenant_id: claim.tenant_id.clone(),
            state: state.name().to_owned(),
            amount: claim.amount.to_string(),
            pay_to: claim.pay_to(),
            facilitator: state.facilitator().map(str::to_owned),
            transaction: state.transaction().map(str::to_owned),
            settled_at_ms: record.settled_at(),
            open_since_ms: state.open_since(),
            served: match state {
                State::Settled { delivery, .. } => match delivery {
                    Delivery::HandedOver | Delivery::Delivered { .. } => Served::HandedOver,
                    Delivery::Kept | Delivery::Leaving { .. } => Served::Ready,
                    Delivery::Owed | Delivery::Running { .. } => Served::Owed,
                },
                _ => Served::Nothing,
            },
        }
    }
}

/// The settled payments of all shards by time and key, `limit` at most. `ask` asks one shard, by its name.
pub async fn settled_in_all(
    layout: &Layout,
    limit: usize,
    ask: impl AsyncFn(String) -> Result<Vec<Entry>, LedgerError>,
) -> Result<Vec<Entry>, LedgerError> {
    merged(layout, limit, ask, |entry| entry.settled_at_ms).await
}

/// The open payments of all shards, the longest open first, `limit` at most.
pub async fn open_in_all(
    layout: &Layout,
    limit: usize,
    ask: impl AsyncFn(String) -> Result<Vec<Entry>, LedgerError>,
) -> Result<Vec<Entry>, LedgerError> {
    merged(layout, limit, ask, |entry| entry.open_since_ms).await
}

async fn merged(
    layout: &Layout,
    limit: usize,
    ask: impl AsyncFn(String) -> Result<Vec<Entry>, LedgerError>,
    time: fn(&Entry) -> Option<UnixMillis>,
) -> Result<Vec<Entry>, LedgerError> {
    let told = RefCell::new(Ok(Vec::new()));
    let asked = layout.shard_names().map(async |shard| {
        let answer = ask(shard).await;
        let mut told = told.borrow_mut();
        match (&mut *told, answer) {
            (Ok(all), Ok(entries)) => all.extend(entries),
            (Ok(_), Err(error)) => *told = Err(error),
            (Err(_), _) => {}
        }
    });
    side_by_side::all(asked).await;
    let mut all: Vec<Entry> = told.into_inner()?;
    all.sort_by(|one, other| (time(one), &one.payment).cmp(&(time(other), &other.payment)));
    all.truncate(limit);
    Ok(all)
}

impl Span {
    /// Whether a payment that was settled at `at` is still to be told.
    #[must_use]
    pub fn has(&self, at: UnixMillis, payment: &str) -> bool {
        let is_behind = |after: &(UnixMillis, String)| (at, payment) > (after.0, after.1.as_str());
        self.from <= at && at < self.to && self.after.as_ref().is_none_or(is_behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_goes_on_behind_the_payment_that_was_told_last() {
        let at = UnixMillis;
        let span = Span { from: at(10), to: at(20), after: Some((at(12), "b".to_owned())) };
        let told = [(9, "z"), (12, "a"), (12, "b"), (12, "c"), (13, "a"), (19, "a"), (20, "a")];
        assert_eq!(
            told.map(|(time, payment)| span.has(at(time), payment)),
            [false, false, false, true, true, true, false]
        );
    }
}
