//! One call to a Durable Object of ours: the object is addressed by its name, the call and the answer are framed by
//! [`wire`]. By its method `ask`, which costs less than a `fetch`.

use crate::{
    glue, prompt,
    wire::{self, Answer, Call, ShardCall},
};
use dispatcher_core::paywall::{
    ledger::{layout::Place, shard::Routed},
    ports::LedgerError,
};
use js_sys::Uint8Array;
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

/// A class of Durable Objects, by the name of its binding.
#[derive(Clone, Copy)]
pub enum Objects {
    /// The shards that the deployment is configured to have.
    LedgerShard,
    /// One per payment key: payments that were begun before there were shards.
    SettlementLedger,
    /// One per tenant and `payment-identifier`.
    PaymentIdentifier,
    /// A few for the deployment.
    SettledTransactions,
    /// One for the deployment.
    FacilitatorHealth,
    /// One for the deployment.
    TenantQuarantine,
}

impl Objects {
    fn binding(self) -> &'static str {
        match self {
            Self::LedgerShard => "LEDGER_SHARD",
            Self::SettlementLedger => "SETTLEMENT_LEDGER",
            Self::PaymentIdentifier => "PAYMENT_IDENTIFIER",
            Self::SettledTransactions => "SETTLED_TRANSACTIONS",
            Self::FacilitatorHealth => "FACILITATOR_HEALTH",
            Self::TenantQuarantine => "TENANT_QUARANTINE",
        }
    }
}

/// Sends `call` to the object called `name`, and returns its answer with the bytes that follow it.
pub async fn call_object<A: DeserializeOwned>(
    env: &Env,
    objects: Objects,
    name: &str,
    call: &impl Serialize,
    body: &[u8],
) -> Result<(A, Vec<u8>), LedgerError> {
    let sent = send(env, objects, name, wire::frame(call, body)).await;
    let (answer, body) = wire::unframe(sent.map_err(not_answered)?).map_err(LedgerError)?;
    match answer {
        wire::Outcome::Done(answer) => Ok((answer, body)),
        wire::Outcome::Failed(why) => Err(LedgerError(why)),
    }
}

/// Calls a payment's place.
pub async fn call_place(
    env: &Env,
    place: &Place,
    routed: Routed<'_>,
    call: &Call,
    body: &[u8],
) -> Result<(Answer, Vec<u8>), LedgerError> {
    let Routed { payment, shards, is_sent_on } = routed;
    match place {
        Place::Object => call_object(env, Objects::SettlementLedger, payment, call, body).await,
        Place::Shard(name) => {
            let call = ShardCall { payment: payment.into(), shards, is_sent_on, call: Cow::Borrowed(call) };
            call_object(env, Objects::LedgerShard, name, &call, body).await
        }
    }
}

async fn send(env: &Env, objects: Objects, name: &str, frame: Vec<u8>) -> Result<Vec<u8>, JsValue> {
    let asked = |ticket, settled: &_| glue::ask(env, objects.binding(), name, &frame, ticket, settled);
    let answer = prompt::until(asked).await?.value;
    Ok(answer.dyn_into::<Uint8Array>()?.to_vec())
}

fn not_answered(thrown: JsValue) -> LedgerError {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    LedgerError(message.unwrap_or_else(|| "the object threw what is no error".to_owned()))
}
