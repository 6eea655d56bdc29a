//! The Durable Object of a payment that was begun before there were shards: one per payment key. It begins nothing any more,
//! and goes on with what it has.

use crate::{
    cached_config,
    ledger_shard::{beside, claimed},
    ports::{
        clock::WallClock, facilitator_transport::FetchTransport, identifiers::DurableIdentifiers, log::ConsoleLog,
        object_storage::ObjectStorage, record_store::DurableStore,
    },
    prompt,
    wire::{self, Answer, Call},
};
use dispatcher_core::{
    paywall::{
        PaidResponse,
        ledger::{Keeper, machine::RING_AGAIN_MS},
        ports::{Clock, LedgerError, PaymentLog},
    },
    platform_api,
};
use std::{cell::OnceCell, rc::Rc};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, State, worker_sys::DurableObjectState};

#[wasm_bindgen]
pub struct SettlementLedger(Rc<Inside>);

struct Inside {
    state: State,
    env: Env,
    keeper: OnceCell<PaymentKeeper>,
}

type PaymentKeeper = Keeper<DurableStore, FetchTransport, WallClock, ConsoleLog, DurableIdentifiers>;

#[wasm_bindgen]
impl SettlementLedger {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self(Rc::new(Inside { state: State::from(state), env, keeper: OnceCell::new() }))
    }

    pub fn ask(&self, frame: Vec<u8>) -> Result<JsValue, JsValue> {
        let inside = Rc::clone(&self.0);
        prompt::answer(async move {
            let (call, body) = wire::unframe(frame)?;
            let told = inside.answer(call, body).await;
            beside(&inside.state, &inside.env);
            Ok(wire::answer(told))
        })
    }

    /// Never throws: the platform tries an alarm that throws six more times, and then never again. So the next ring is set
    /// first, and whatever goes wrong (a configuration that is refused, a record that cannot be read, storage that fails) is
    /// told and left to it.
    pub fn alarm(&self) -> Result<JsValue, JsValue> {
        let inside = Rc::clone(&self.0);
        prompt::answer(async move {
            let (storage, now) = (ObjectStorage::of(&inside.state), WallClock.now());
            let armed = storage.set_alarm(now.plus(RING_AGAIN_MS));
            let woke = match inside.keeper() {
                Ok(keeper) => keeper.woke().await,
                Err(error) => Err(error),
            };
            beside(&inside.state, &inside.env);
            if let Err(error) = armed.and(woke) {
                ConsoleLog.stuck("", &error);
                // What went wrong may have taken the ring with it.
                let pause = inside.keeper().map_or(RING_AGAIN_MS, PaymentKeeper::ring_again_ms);
                drop(storage.set_alarm(now.plus(pause)));
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl Inside {
    async fn answer(&self, call: Call, body: Vec<u8>) -> Result<(Answer, Vec<u8>), LedgerError> {
        let keeper = self.keeper()?;
        let record = keeper.record().await?;
        if record.is_none() {
            if let Call::Has = call {
                return Ok((Answer::Has(false), Vec::new()));
            }
            return Err(LedgerError("the payment has gone from here since it was looked for".to_owned()));
        }
        let noted = (Answer::Noted, Vec::new());
        match call {
            Call::Claim { claim, holder } => keeper.claim(claim, &holder).await.map(claimed),
            Call::Collect { collection, holder } => keeper.collect(collection, &holder).await.map(claimed),
            Call::Settle { holder, head } => {
                let told = keeper.settle(&holder, &PaidResponse { head, body }).await?;
                Ok((Answer::Settled { reply: told.reply, attempts: told.attempts }, Vec::new()))
            }
            Call::Release { holder } => keeper.release(&holder).await.map(|()| noted),
            Call::HandedOver { holder, delivered } => keeper.handed_over(&holder, delivered).await.map(|()| noted),
            Call::Describe { payment } => {
                Ok((Answer::Described(platform_api::describe(&payment, record.as_ref())), Vec::new()))
            }
            Call::Transaction => {
                let transaction = record.and_then(|record| record.state.transaction().map(str::to_owned));
                Ok((Answer::Transaction(transaction), Vec::new()))
            }
            Call::Has => Ok((Answer::Has(true), Vec::new())),
            Call::OnChain => Ok((Answer::OnChain(keeper.on_chain().await?), Vec::new())),
            // Asked of shards alone, which hold many payments.
            Call::AllHandedOver { .. } | Call::SettledIn { .. } | Call::Open { .. } => {
                Err(LedgerError::another_question())
            }
        }
    }

    fn keeper(&self) -> Result<&PaymentKeeper, LedgerError> {
        if let Some(keeper) = self.keeper.get() {
            return Ok(keeper);
        }
        let config = cached_config::get(&self.env).map_err(|error| LedgerError(error.to_string()))?;
        let (store, board) = (DurableStore::new(ObjectStorage::of(&self.state)), cached_config::board(&config));
        let identifiers = DurableIdentifiers::new(&self.env, config.ledger);
        let facilitators = config.facilitators.clone();
        let keeper = Keeper::new(store, FetchTransport, WallClock, ConsoleLog, identifiers, facilitators, board)
            .with_chain(config.chain.clone());
        Ok(self.keeper.get_or_init(|| keeper))
    }
}
