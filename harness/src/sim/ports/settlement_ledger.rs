//! The settlement ledger as a request's side calls it: a way to the payment's object, and a way back.

use crate::sim::{
    disturbed::Disturbed,
    objects::{Objects, SimKeeper},
};
use dispatcher_core::{
    paywall::{
        PaidResponse,
        ledger::{Claim, ClaimReply, Collection, SettleReply},
        ports::{Ledger, LedgerError},
    },
    platform_api,
    ports::PaymentRecords,
};
use scenario::LedgerCall;
use serde_json::Value;
use std::rc::Rc;

#[derive(Clone)]
pub struct SimLedger {
    pub objects: Rc<Objects>,
    pub disturbed: Rc<Disturbed>,
}

impl SimLedger {
    /// The answer, unless it is lost on its way back.
    fn unless_lost<R>(&self, to: LedgerCall, payment: &str, answer: Result<R, LedgerError>) -> Result<R, LedgerError> {
        if self.disturbed.loses_answer(to, payment) {
            return Err(LedgerError("the answer was lost".to_owned()));
        }
        answer
    }
}

impl PaymentRecords for SimLedger {
    async fn describe(&self, payment: &str) -> Result<Value, LedgerError> {
        let record = self.objects.call(payment, async |keeper| keeper.record().await).await?;
        Ok(platform_api::describe(payment, record.as_ref()))
    }
}

impl Ledger for SimLedger {
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        let payment = claim.payment.clone();
        let ask = async |keeper: &SimKeeper| keeper.claim(claim, holder).await;
        let answer = self.objects.call(&payment, ask).await;
        self.unless_lost(LedgerCall::Claim, &payment, answer)
    }

    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        let payment = collection.payment.clone();
        self.objects.call(&payment, async |keeper| keeper.collect(collection, holder).await).await
    }

    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        let answer = self.objects.call(payment, async |keeper| keeper.settle(holder, response).await).await;
        self.unless_lost(LedgerCall::Settle, payment, answer)
    }

    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.objects.call(payment, async |keeper| keeper.release(holder).await).await
    }

    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        let answer = self.objects.call(payment, async |keeper| keeper.handed_over(holder, delivered).await).await;
        self.unless_lost(LedgerCall::HandedOver, payment, answer)
    }
}
