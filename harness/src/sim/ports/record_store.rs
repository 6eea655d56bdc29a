//! One payment's storage in its Durable Object. A write is either done or was never begun: the process may die before it
//! and after it.

use crate::sim::{
    alarms::{Alarms, Object},
    life::Life,
};
use dispatcher_core::paywall::{
    UnixMillis,
    ledger::{Memory, MemoryStore, Record},
    ports::{LedgerError, RecordStore},
};

pub struct SimStore {
    life: Life,
    alarms: Alarms,
    object: Object,
    stored: MemoryStore,
}

impl SimStore {
    #[must_use]
    pub fn new(payment: &str, memory: &Memory, alarms: Alarms, life: Life) -> Self {
        Self { life, alarms, object: Object::Payment(payment.to_owned()), stored: memory.store(payment) }
    }
}

impl RecordStore for SimStore {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        self.life.alive().await;
        self.stored.load().await
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.stored.save(record, body).await
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        self.life.alive().await;
        self.stored.body().await
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.stored.drop_body().await
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.alarms.set(self.object.clone(), at);
        Ok(())
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.alarms.clear(&self.object);
        self.stored.forget().await
    }
}
