//! A ledger whose keepers all live in this process: what a server with one process needs, over a store of its own.
//!
//! A payment must have one keeper at a time, everywhere. Where several processes sell for the same `payTo`, its place must be
//! outside of them, as a Durable Object is.

use super::{Claim, ClaimReply, Collection, Keeper, SettleReply};
use crate::{
    PaidResponse,
    facilitator::transport::FacilitatorTransport,
    ledger::port::{Identifiers, Ledger, PaymentLog, RecordStore},
    ledger_error::LedgerError,
    time::Clock,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// Keepers by payment key, opened when they are needed and closed when nobody uses them.
pub struct LocalLedger<O, S, T, C, L, I> {
    open: O,
    keepers: RefCell<Keepers<S, T, C, L, I>>,
}

type Keepers<S, T, C, L, I> = BTreeMap<String, Rc<Keeper<S, T, C, L, I>>>;

impl<O, S, T, C, L, I> LocalLedger<O, S, T, C, L, I>
where
    O: Fn(&str) -> Keeper<S, T, C, L, I>,
    S: RecordStore,
    T: FacilitatorTransport,
    C: Clock,
    L: PaymentLog,
    I: Identifiers,
{
    /// `open` makes the keeper of the payment with the given key.
    pub fn new(open: O) -> Self {
        Self { open, keepers: RefCell::default() }
    }

    /// Wakes the keeper of a payment whose alarm is due. An error means that it must be woken again.
    pub async fn wake(&self, payment: &str) -> Result<(), LedgerError> {
        self.with(payment, async |keeper| keeper.woke().await).await
    }

    async fn with<R>(&self, payment: &str, ask: impl AsyncFnOnce(&Keeper<S, T, C, L, I>) -> R) -> R {
        let opened = || Rc::new((self.open)(payment));
        let keeper = Rc::clone(self.keepers.borrow_mut().entry(payment.to_owned()).or_insert_with(opened));
        let answer = ask(&keeper).await;
        let rests = keeper.rests();
        drop(keeper);
        let mut keepers = self.keepers.borrow_mut();
        if rests && keepers.get(payment).is_some_and(|keeper| Rc::strong_count(keeper) == 1) {
            keepers.remove(payment);
        }
        answer
    }
}

impl<O, S, T, C, L, I> Ledger for LocalLedger<O, S, T, C, L, I>
where
    O: Fn(&str) -> Keeper<S, T, C, L, I>,
    S: RecordStore,
    T: FacilitatorTransport,
    C: Clock,
    L: PaymentLog,
    I: Identifiers,
{
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        let payment = claim.payment.clone();
        self.with(&payment, async |keeper| keeper.claim(claim, holder).await).await
    }

    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        let payment = collection.payment.clone();
        self.with(&payment, async |keeper| keeper.collect(collection, holder).await).await
    }

    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        self.with(payment, async |keeper| keeper.settle(holder, response).await).await
    }

    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.with(payment, async |keeper| keeper.release(holder).await).await
    }

    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        self.with(payment, async |keeper| keeper.handed_over(holder, delivered).await).await
    }
}
