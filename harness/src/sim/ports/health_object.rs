//! The way to the one object that merges what all boards saw of facilitators.

use crate::sim::objects::Objects;
use dispatcher_core::{
    paywall::{
        health::{News, Snapshot},
        ports::LedgerError,
    },
    ports::HealthObject,
};
use serde_json::Value;
use std::rc::Rc;

pub struct SimHealth(pub Rc<Objects>);

impl HealthObject for SimHealth {
    async fn exchange(&self, news: News) -> Result<Snapshot, LedgerError> {
        self.0.exchange(news).await
    }

    async fn describe(&self) -> Result<Value, LedgerError> {
        self.0.describe_health().await
    }
}
