//! A shard's storage in its Durable Object.

use super::record_store::{SimStore, Weather};
use crate::sim::{
    alarms::{Alarms, Object},
    clock::VirtualClock,
    process::Life,
};
use dispatcher_core::paywall::{
    UnixMillis,
    ledger::{Memory, Record, books::Span, shard::ShardStore},
    ports::LedgerError,
};

pub struct SimShardStore {
    pub name: String,
    pub memory: Memory,
    pub alarms: Alarms,
    pub life: Life,
    pub weather: Weather,
    pub clock: VirtualClock,
}

impl ShardStore for SimShardStore {
    type Row = SimStore;

    fn row(&self, payment: &str) -> SimStore {
        SimStore::new(payment, &self.memory, self.life.clone(), self.weather.clone(), self.clock)
    }

    async fn due(&self, by: UnixMillis, limit: usize) -> Result<Vec<String>, LedgerError> {
        self.life.alive().await;
        Ok(self.memory.due_by(by, limit))
    }

    async fn least_due(&self) -> Result<Option<UnixMillis>, LedgerError> {
        self.life.alive().await;
        Ok(self.memory.least_due())
    }

    async fn postpone(&self, payments: &[String], until: UnixMillis) -> Result<(), LedgerError> {
        self.life.alive().await;
        payments.iter().for_each(|payment| self.memory.postpone(payment, until));
        Ok(())
    }

    async fn set_alarm(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.life.alive().await;
        if self.weather.disturbed.refuses_alarm(&self.name) {
            return Err(LedgerError("the storage refused an alarm".to_owned()));
        }
        self.alarms.set(Object::Shard(self.name.clone()), at);
        Ok(())
    }

    async fn settled(&self, span: &Span, limit: usize) -> Result<Vec<Record>, LedgerError> {
        self.life.alive().await;
        Ok(self.memory.settled(span, limit))
    }

    async fn open(&self, limit: usize) -> Result<Vec<Record>, LedgerError> {
        self.life.alive().await;
        Ok(self.memory.open(limit))
    }

    async fn raised_to(&self) -> Result<u16, LedgerError> {
        self.life.alive().await;
        Ok(self.memory.raised_to())
    }

    async fn raise_to(&self, shards: u16) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.memory.raise_to(shards);
        Ok(())
    }
}
