//! The settlement ledger as the request's side calls it: the shard that has the payment.

use crate::{
    call_object::call_place,
    wire::{Answer, Call, NotNoted},
};
use dispatcher_core::{
    paywall::{
        PaidResponse,
        ledger::{
            Claim, ClaimReply, Collection, Departed, SettleReply,
            books::{Entry, OnChain, Span, open_in_all, settled_in_all},
            layout::{Layout, Place},
            shard::{Placed, Routed, ask, side_by_side},
        },
        ports::{Ledger, LedgerError},
    },
    ports::PaymentRecords,
};
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeMap};
use worker::Env;

pub struct DurableLedger {
    env: Env,
    layout: Layout,
}

impl DurableLedger {
    pub fn new(env: &Env, layout: Layout) -> Self {
        Self { env: env.clone(), layout }
    }

    async fn present(&self, payment: &str, call: &Call) -> Result<ClaimReply, LedgerError> {
        match self.call(payment, call, &[]).await? {
            (Answer::Claimed { reply, head, attempts }, body) => {
                let response = head.map(|head| PaidResponse { head, body });
                Ok(ClaimReply { reply, response, attempts })
            }
            _ => Err(LedgerError::another_question()),
        }
    }

    /// Tells a shard which responses left, and gives those that it could not note. One that has moved is told at its place.
    async fn tell(&self, shard: String, departed: Vec<Departed>) -> Vec<(String, LedgerError)> {
        let all = departed.iter().map(|one| one.payment.clone());
        let routed = Routed { payment: "", shards: self.layout.shards(), is_sent_on: false };
        let (place, call) = (Place::Shard(shard), Call::AllHandedOver { departed: departed.clone() });
        let but = match call_place(&self.env, &place, routed, &call, &[]).await {
            Ok((Answer::AllNoted { but }, _)) => but,
            Ok(_) => return all.map(|payment| (payment, LedgerError::another_question())).collect(),
            Err(error) => return all.map(|payment| (payment, error.clone())).collect(),
        };
        let mut failed = Vec::new();
        for (payment, why) in but {
            let told = match (why, departed.iter().find(|one| one.payment == payment)) {
                (NotNoted::At(_), Some(one)) => self.handed_over(&payment, &one.holder, one.delivered).await,
                (NotNoted::At(_), None) => Err(LedgerError::another_question()),
                (NotNoted::Failed(why), _) => Err(LedgerError(why)),
            };
            failed.extend(told.err().map(|error| (payment, error)));
        }
        failed
    }

    /// Asks a shard about no payment.
    async fn entries(&self, shard: &str, call: &Call) -> Result<Vec<Entry>, LedgerError> {
        let routed = Routed { payment: "", shards: self.layout.shards(), is_sent_on: false };
        match call_place(&self.env, &Place::Shard(shard.to_owned()), routed, call, &[]).await? {
            (Answer::Entries(entries), _) => Ok(entries),
            _ => Err(LedgerError::another_question()),
        }
    }

    async fn call(&self, payment: &str, call: &Call, body: &[u8]) -> Result<(Answer, Vec<u8>), LedgerError> {
        ask_place(&self.env, &self.layout, payment, call, body).await
    }
}

/// Asks the place that has a payment.
pub async fn ask_place(
    env: &Env,
    layout: &Layout,
    payment: &str,
    call: &Call,
    body: &[u8],
) -> Result<(Answer, Vec<u8>), LedgerError> {
    ask(layout, payment, async |place, routed| {
        Ok(match call_place(env, place, routed, call, body).await? {
            (Answer::At(place), _) => Placed::At(place),
            here => Placed::Here(here),
        })
    })
    .await
}

impl PaymentRecords for DurableLedger {
    async fn describe(&self, payment: &str) -> Result<Value, LedgerError> {
        let call = Call::Describe { payment: payment.to_owned() };
        match self.call(payment, &call, &[]).await? {
            (Answer::Described(value), _) => Ok(value),
            _ => Err(LedgerError::another_question()),
        }
    }

    async fn on_chain(&self, payment: &str) -> Result<OnChain, LedgerError> {
        match self.call(payment, &Call::OnChain, &[]).await? {
            (Answer::OnChain(word), _) => Ok(word),
            _ => Err(LedgerError::another_question()),
        }
    }

    async fn settled(&self, span: &Span, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        let call = Call::SettledIn { span: span.clone(), limit: limit as usize };
        settled_in_all(&self.layout, limit as usize, async |shard| self.entries(&shard, &call).await).await
    }

    async fn open(&self, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        let call = Call::Open { limit: limit as usize };
        open_in_all(&self.layout, limit as usize, async |shard| self.entries(&shard, &call).await).await
    }
}

impl Ledger for DurableLedger {
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        let payment = claim.payment.clone();
        self.present(&payment, &Call::Claim { claim: claim.into(), holder: holder.to_owned() }).await
    }

    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        let payment = collection.payment.clone();
        self.present(&payment, &Call::Collect { collection, holder: holder.to_owned() }).await
    }

    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        let call = Call::Settle { holder: holder.to_owned(), head: response.head.clone() };
        match self.call(payment, &call, &response.body).await? {
            (Answer::Settled { reply, attempts }, _) => Ok(SettleReply { reply, attempts }),
            _ => Err(LedgerError::another_question()),
        }
    }

    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.call(payment, &Call::Release { holder: holder.to_owned() }, &[]).await.map(drop)
    }

    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        self.call(payment, &Call::HandedOver { holder: holder.to_owned(), delivered }, &[]).await.map(drop)
    }

    /// One call for each shard, side by side.
    async fn all_handed_over(&self, departed: Vec<Departed>) -> Vec<(String, LedgerError)> {
        let mut shards = BTreeMap::<String, Vec<Departed>>::new();
        for one in departed {
            shards.entry(self.layout.shard_of(&one.payment)).or_default().push(one);
        }
        let failed = RefCell::new(Vec::new());
        side_by_side(shards.into_iter().map(|(shard, departed)| async {
            let unnoted = self.tell(shard, departed).await;
            failed.borrow_mut().extend(unnoted);
        }))
        .await;
        failed.into_inner()
    }
}
