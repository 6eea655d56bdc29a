//! The settlement ledger as a request's side calls it: a way to the payment's shard, and a way back.

use crate::sim::{
    disturbed::Disturbed,
    objects::{Objects, SimShard},
};
use dispatcher_core::{
    paywall::{
        PaidResponse,
        ledger::{
            Claim, ClaimReply, Collection, SettleReply,
            books::{Entry, OnChain, Span, open_in_all, settled_in_all},
            layout::{Layout, Place},
            shard::{Placed, Routed, ask},
        },
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
    pub layout: Layout,
}

impl SimLedger {
    async fn ask<R>(
        &self,
        payment: &str,
        call: impl AsyncFn(&SimShard, Routed<'_>) -> Result<Placed<R>, LedgerError>,
    ) -> Result<R, LedgerError> {
        ask(&self.layout, payment, async |place, routed| match place {
            Place::Shard(name) => self.objects.call(name, async |shard| call(shard, routed).await).await,
            Place::Object => Err(LedgerError("the simulation never had an object a payment".to_owned())),
        })
        .await
    }

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
        let record = self.ask(payment, async |shard, routed| shard.record(routed).await).await?;
        Ok(platform_api::describe(payment, record.as_ref()))
    }

    async fn on_chain(&self, payment: &str) -> Result<OnChain, LedgerError> {
        self.ask(payment, async |shard, routed| shard.on_chain(routed).await).await
    }

    async fn settled(&self, span: &Span, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        let ask = async |shard: String| {
            self.objects.call(&shard, async |shard| shard.settled(span, limit as usize).await).await
        };
        settled_in_all(&self.layout, limit as usize, ask).await
    }

    async fn open(&self, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        let ask = async |shard: String| self.objects.call(&shard, async |shard| shard.open(limit as usize).await).await;
        open_in_all(&self.layout, limit as usize, ask).await
    }
}

impl Ledger for SimLedger {
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        let ask = async |shard: &SimShard, routed: Routed<'_>| shard.claim(routed, claim.clone(), holder).await;
        let answer = self.ask(&claim.payment, ask).await;
        self.unless_lost(LedgerCall::Claim, &claim.payment, answer)
    }

    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        let ask = async |shard: &SimShard, routed: Routed<'_>| shard.collect(routed, collection.clone(), holder).await;
        self.ask(&collection.payment, ask).await
    }

    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        let ask = async |shard: &SimShard, routed: Routed<'_>| shard.settle(routed, holder, response).await;
        let answer = self.ask(payment, ask).await;
        self.unless_lost(LedgerCall::Settle, payment, answer)
    }

    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.ask(payment, async |shard, routed| shard.release(routed, holder).await).await
    }

    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        let ask = async |shard: &SimShard, routed: Routed<'_>| shard.handed_over(routed, holder, delivered).await;
        let answer = self.ask(payment, ask).await;
        self.unless_lost(LedgerCall::HandedOver, payment, answer)
    }
}
