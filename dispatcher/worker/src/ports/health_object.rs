//! The facilitators' health object, as everybody else calls it.

use crate::{
    call_object::{Objects, call_object},
    wire::{HealthAnswer, HealthCall},
};
use dispatcher_core::{
    paywall::{
        health::{News, Snapshot},
        ports::LedgerError,
    },
    ports::HealthObject,
};
use serde_json::Value;
use worker::Env;

/// There is one object of the class.
const NAME: &str = "all";

pub struct DurableHealth(Env);

impl DurableHealth {
    pub fn new(env: &Env) -> Self {
        Self(env.clone())
    }

    async fn call(&self, call: &HealthCall) -> Result<HealthAnswer, LedgerError> {
        call_object(&self.0, Objects::FacilitatorHealth, NAME, call, &[]).await.map(|(answer, _)| answer)
    }
}

impl HealthObject for DurableHealth {
    async fn exchange(&self, news: News) -> Result<Snapshot, LedgerError> {
        match self.call(&HealthCall::Exchange(news)).await? {
            HealthAnswer::Exchanged(snapshot) => Ok(snapshot),
            HealthAnswer::Described(_) => Err(LedgerError::another_question()),
        }
    }

    async fn describe(&self) -> Result<Value, LedgerError> {
        match self.call(&HealthCall::Describe).await? {
            HealthAnswer::Described(described) => Ok(described),
            HealthAnswer::Exchanged(_) => Err(LedgerError::another_question()),
        }
    }
}
