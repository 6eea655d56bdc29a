//! The facilitators' health in its Durable Object's storage: one key and one alarm.

use super::record_store::{set_alarm, storage_failed};
use dispatcher_core::paywall::{
    UnixMillis,
    health::Snapshot,
    ports::{HealthStore, LedgerError},
};
use worker::Storage;

const SNAPSHOT: &str = "snapshot";

pub struct DurableHealthStore {
    storage: Storage,
}

impl DurableHealthStore {
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }
}

impl HealthStore for DurableHealthStore {
    /// One that another version has written is as good as none: standings are found out again within seconds.
    async fn load(&self) -> Result<Option<Snapshot>, LedgerError> {
        let text: Option<String> = self.storage.get(SNAPSHOT).await.map_err(storage_failed)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        let text = serde_json::to_string(snapshot).expect("snapshots have string keys and plain values");
        self.storage.put(SNAPSHOT, &text).await.map_err(storage_failed)
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        set_alarm(&self.storage, at).await
    }
}
