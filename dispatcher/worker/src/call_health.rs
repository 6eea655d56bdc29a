//! Calls to the facilitators' health object.

use crate::{
    call_object::{Objects, call_object},
    ports::{clock::WallClock, log::ConsoleLog},
    wire::{HealthAnswer, HealthCall},
};
use dispatcher_core::paywall::{
    health::{Board, News},
    ports::{Clock, LedgerError},
};
use serde_json::Value;
use worker::Env;

/// There is one object of the class.
const NAME: &str = "all";

/// Tells the object what the board saw. For after an answer: no payment waits for it.
pub async fn exchange(env: &Env, board: &Board, news: News) {
    match call(env, &HealthCall::Exchange(news)).await {
        Ok(HealthAnswer::Exchanged(snapshot)) => board.merge(snapshot, WallClock.now()),
        Ok(HealthAnswer::Described(_)) => board.failed(WallClock.now()),
        Err(error) => {
            board.failed(WallClock.now());
            ConsoleLog.health_unavailable(&error);
        }
    }
}

/// What the object knows, for operators.
pub async fn describe(env: &Env) -> Result<Value, LedgerError> {
    match call(env, &HealthCall::Describe).await? {
        HealthAnswer::Described(described) => Ok(described),
        HealthAnswer::Exchanged(_) => Err(LedgerError("the object answered another question".to_owned())),
    }
}

async fn call(env: &Env, call: &HealthCall) -> Result<HealthAnswer, LedgerError> {
    call_object(env, Objects::FacilitatorHealth, NAME, call, &[]).await.map(|(answer, _)| answer)
}
