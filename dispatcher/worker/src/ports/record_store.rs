//! A payment's record in its Durable Object's storage. Two keys and one alarm, so that cost never grows.

use super::object_storage::ObjectStorage;
use dispatcher_core::{
    paywall::{
        UnixMillis,
        ledger::Record,
        ports::{LedgerError, RecordStore},
    },
    protocol::json,
};

/// The record, as JSON text: the payment inside is kept byte for byte.
const RECORD: &str = "record";
/// The response body, as bytes.
const BODY: &str = "body";

pub struct DurableStore {
    storage: ObjectStorage,
}

impl DurableStore {
    pub fn new(storage: ObjectStorage) -> Self {
        Self { storage }
    }
}

impl RecordStore for DurableStore {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        let parse = |text: String| {
            json::read(&text).map_err(|error| LedgerError(format!("stored record is unreadable: {error}")))
        };
        self.storage.text(RECORD)?.map(parse).transpose()
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        let text = serde_json::to_string(record).expect("records have string keys and plain values");
        // Nothing is awaited in between, so that a crash parts them no more than a reader does. The body goes first: where
        // storage takes only one of them, a body without its record is nothing, and a record without its body is a charge
        // that cannot be collected.
        body.map_or(Ok(()), |body| self.storage.put_bytes(BODY, body))?;
        self.storage.put_text(RECORD, &text)
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        self.storage.bytes(BODY)?.ok_or_else(|| LedgerError("the stored response is gone".to_owned()))
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.storage.delete(BODY)
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.storage.set_alarm(at)
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        // In this order: an alarm without a record is nothing, but a record without its alarm would stay for ever.
        self.storage.delete_all().await?;
        self.storage.delete_alarm().await
    }
}
