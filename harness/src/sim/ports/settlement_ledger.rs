//! The settlement ledger as a request's side calls it: a way to the payment's object, and a way back.

use crate::sim::objects::Objects;
use dispatcher_core::paywall::{
    PaidResponse,
    ledger::{Claim, ClaimReply, Collection, SettleReply},
    ports::{Ledger, LedgerError},
};
use std::rc::Rc;

#[derive(Clone)]
pub struct SimLedger(pub Rc<Objects>);

impl Ledger for SimLedger {
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.0.call(async |ledger| ledger.claim(claim, holder).await).await
    }

    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.0.call(async |ledger| ledger.collect(collection, holder).await).await
    }

    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        self.0.call(async |ledger| ledger.settle(payment, holder, response).await).await
    }

    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.0.call(async |ledger| ledger.release(payment, holder).await).await
    }

    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        self.0.call(async |ledger| ledger.handed_over(payment, holder, delivered).await).await
    }
}
