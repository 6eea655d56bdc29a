//! The facilitators' health in its Durable Object's storage: one key and one alarm.

use super::object_storage::ObjectStorage;
use dispatcher_core::{
    paywall::{
        UnixMillis,
        health::Snapshot,
        ports::{HealthStore, LedgerError},
    },
    protocol::json,
};

const SNAPSHOT: &str = "snapshot";

pub struct DurableHealthStore {
    storage: ObjectStorage,
}

impl DurableHealthStore {
    pub fn new(storage: ObjectStorage) -> Self {
        Self { storage }
    }
}

impl HealthStore for DurableHealthStore {
    /// One that another version has written is as good as none: standings are found out again within seconds.
    async fn load(&self) -> Result<Option<Snapshot>, LedgerError> {
        let text = self.storage.text(SNAPSHOT)?;
        Ok(text.and_then(|text| json::read(&text).ok()))
    }

    async fn save(&self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        let text = serde_json::to_string(snapshot).expect("snapshots have string keys and plain values");
        self.storage.put_text(SNAPSHOT, &text)
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.storage.set_alarm(at)
    }
}
