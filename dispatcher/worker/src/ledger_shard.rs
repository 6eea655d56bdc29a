//! The Durable Object that holds a shard of the settlement ledger. Wraps the paywall's shard and adds nothing but the wire.

use crate::{
    cached_config,
    call_object::call_place,
    ports::{
        clock::WallClock, facilitator_transport::FetchTransport, health_object::DurableHealth,
        identifiers::DurableIdentifiers, log::ConsoleLog, object_storage::ObjectStorage, outbox,
        shard_store::ShardTables,
    },
    prompt,
    wire::{self, Answer, Call, NotNoted, ShardCall},
};
use dispatcher_core::{
    paywall::{
        PaidResponse,
        ledger::{
            ClaimReply, Departed, Record, SettleReply,
            layout::Place,
            machine::RING_AGAIN_MS,
            shard::{FormerLedger, KeeperParts, Placed, Routed, Shard},
        },
        ports::{Clock, LedgerError, PaymentLog},
    },
    platform_api,
    serving::exchange_health,
};
use std::{cell::OnceCell, rc::Rc};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, State, worker_sys::DurableObjectState};

#[wasm_bindgen]
pub struct LedgerShard(Rc<Inside>);

struct Inside {
    state: State,
    env: Env,
    shard: OnceCell<DurableShard>,
}

type DurableShard = Shard<ShardTables, FetchTransport, WallClock, ConsoleLog, DurableIdentifiers, FormerPlaces>;
type Told = Result<(Answer, Vec<u8>), LedgerError>;

#[wasm_bindgen]
impl LedgerShard {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self(Rc::new(Inside { state: State::from(state), env, shard: OnceCell::new() }))
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

    /// The platform tries an alarm that throws six more times, and then never again. So the next ring is set first, and whatever
    /// goes wrong is told and left to it. Only where it cannot be set is all left to the platform.
    pub fn alarm(&self) -> Result<JsValue, JsValue> {
        let inside = Rc::clone(&self.0);
        prompt::answer(async move {
            let armed = ObjectStorage::of(&inside.state).set_alarm(WallClock.now().plus(RING_AGAIN_MS));
            let rang = match inside.shard() {
                Ok(shard) => shard.ring().await,
                Err(error) => Err(error),
            };
            beside(&inside.state, &inside.env);
            let is_armed = armed.is_ok() || rang.is_ok();
            if let Err(error) = armed.and(rang) {
                ConsoleLog.stuck("", &error);
            }
            if is_armed { Ok(JsValue::UNDEFINED) } else { Err(JsValue::from_str("no alarm could be set")) }
        })
    }
}

impl Inside {
    async fn answer(&self, call: ShardCall<'_>, body: Vec<u8>) -> Told {
        let shard = self.shard()?;
        let ShardCall { payment, shards, is_sent_on, call } = call;
        let routed = Routed { payment: &payment, shards, is_sent_on };
        let noted = |(): ()| (Answer::Noted, Vec::new());
        match call.into_owned() {
            Call::Claim { claim, holder } => {
                shard.claim(routed, claim, &holder).await.map(|told| placed(told, claimed))
            }
            Call::Collect { collection, holder } => {
                shard.collect(routed, collection, &holder).await.map(|told| placed(told, claimed))
            }
            Call::Settle { holder, head } => {
                let told = shard.settle(routed, &holder, &PaidResponse { head, body }).await?;
                let settled =
                    |told: SettleReply| (Answer::Settled { reply: told.reply, attempts: told.attempts }, Vec::new());
                Ok(placed(told, settled))
            }
            Call::Release { holder } => shard.release(routed, &holder).await.map(|told| placed(told, noted)),
            Call::HandedOver { holder, delivered } => {
                shard.handed_over(routed, &holder, delivered).await.map(|told| placed(told, noted))
            }
            Call::Describe { payment } => {
                let described = |record: Option<Record>| {
                    (Answer::Described(platform_api::describe(&payment, record.as_ref())), Vec::new())
                };
                shard.record(routed).await.map(|told| placed(told, described))
            }
            Call::Transaction => {
                let transaction = |record: Option<Record>| {
                    let transaction = record.and_then(|record| record.state.transaction().map(str::to_owned));
                    (Answer::Transaction(transaction), Vec::new())
                };
                shard.record(routed).await.map(|told| placed(told, transaction))
            }
            Call::AllHandedOver { departed } => {
                let mut answers = Vec::new();
                for Departed { payment, holder, delivered } in departed {
                    let routed = Routed { payment: &payment, shards, is_sent_on };
                    let told = shard.handed_over(routed, &holder, delivered).await;
                    let told = match told {
                        Ok(Placed::Here(())) => continue,
                        Ok(Placed::At(place)) => NotNoted::At(place),
                        Err(error) => NotNoted::Failed(error.0),
                    };
                    answers.push((payment, told));
                }
                Ok((Answer::AllNoted { but: answers }, Vec::new()))
            }
            Call::Has => Ok((Answer::Has(shard.has(&payment, shards).await?), Vec::new())),
            Call::OnChain => {
                shard.on_chain(routed).await.map(|told| placed(told, |word| (Answer::OnChain(word), Vec::new())))
            }
            Call::SettledIn { span, limit } => Ok((Answer::Entries(shard.settled(&span, limit).await?), Vec::new())),
            Call::Open { limit } => Ok((Answer::Entries(shard.open(limit).await?), Vec::new())),
        }
    }

    fn shard(&self) -> Result<&DurableShard, LedgerError> {
        if let Some(shard) = self.shard.get() {
            return Ok(shard);
        }
        let config = cached_config::get(&self.env).map_err(|error| LedgerError(error.to_string()))?;
        let parts = KeeperParts {
            transport: FetchTransport,
            clock: WallClock,
            log: ConsoleLog,
            identifiers: DurableIdentifiers::new(&self.env, config.ledger),
            facilitators: config.facilitators.clone(),
            board: cached_config::board(&config),
            chain: config.chain.clone(),
        };
        let former = FormerPlaces(self.env.clone());
        let shard = Shard::new(ShardTables::open(&self.state)?, parts, former, config.ledger);
        Ok(self.shard.get_or_init(|| shard))
    }
}

/// The places where payments lived before, each an object.
struct FormerPlaces(Env);

impl FormerLedger for FormerPlaces {
    async fn has(&self, place: &Place, payment: &str, shards: u16) -> Result<bool, LedgerError> {
        let routed = Routed { payment, shards, is_sent_on: true };
        match call_place(&self.0, place, routed, &Call::Has, &[]).await? {
            (Answer::Has(has), _) => Ok(has),
            _ => Err(LedgerError::another_question()),
        }
    }
}

fn placed<R>(told: Placed<R>, here: impl FnOnce(R) -> (Answer, Vec<u8>)) -> (Answer, Vec<u8>) {
    match told {
        Placed::Here(told) => here(told),
        Placed::At(place) => (Answer::At(place), Vec::new()),
    }
}

pub fn claimed(told: ClaimReply) -> (Answer, Vec<u8>) {
    let (head, body) = told.response.map_or((None, Vec::new()), |stored| (Some(stored.head), stored.body));
    (Answer::Claimed { reply: told.reply, head, attempts: told.attempts }, body)
}

/// Sends events and exchanges health beside an object's answer, whatever came of the call: where every payment is refused, only this
/// tells that a facilitator is back.
pub fn beside(state: &State, env: &Env) {
    let Ok(config) = cached_config::get(env) else { return };
    outbox::send_from(state, env, &config);
    let board = cached_config::board(&config);
    if let Some(news) = board.due(WallClock.now()) {
        let object = DurableHealth::new(env);
        prompt::keep(state.as_raw(), async move {
            exchange_health(&board, news, &object, &WallClock, &ConsoleLog).await;
        });
    }
}
