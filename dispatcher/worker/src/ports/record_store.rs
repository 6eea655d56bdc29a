//! A payment's record in its Durable Object's storage. Two keys and one alarm, so that cost never grows.

use dispatcher_core::paywall::{
    UnixMillis,
    ledger::Record,
    ports::{LedgerError, RecordStore},
};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;
use worker::{ScheduledTime, Storage};

/// The record, as JSON text: the payment inside is kept byte for byte.
const RECORD: &str = "record";
/// The response body, as bytes.
const BODY: &str = "body";

pub struct DurableStore {
    storage: Storage,
}

impl DurableStore {
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }
}

impl RecordStore for DurableStore {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        let text: Option<String> = self.storage.get(RECORD).await.map_err(storage_failed)?;
        let parse = |text: String| {
            serde_json::from_str(&text).map_err(|error| LedgerError(format!("stored record is unreadable: {error}")))
        };
        text.map(parse).transpose()
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        let text = serde_json::to_string(record).expect("records have string keys and plain values");
        let values = Object::new();
        let set = |key, value: &JsValue| {
            Reflect::set(&values, &JsValue::from_str(key), value).expect("a plain object takes any key");
        };
        set(RECORD, &JsValue::from_str(&text));
        if let Some(body) = body {
            set(BODY, &Uint8Array::from(body));
        }
        // One call, so that a record and its body are stored together or not at all.
        self.storage.put_multiple_raw(values).await.map_err(storage_failed)
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        let body: Option<serde_bytes::ByteBuf> = self.storage.get(BODY).await.map_err(storage_failed)?;
        body.map(serde_bytes::ByteBuf::into_vec).ok_or_else(|| LedgerError("the stored response is gone".to_owned()))
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.storage.delete(BODY).await.map(drop).map_err(storage_failed)
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        set_alarm(&self.storage, at).await
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        // In this order: an alarm without a record is nothing, but a record without its alarm would stay for ever.
        self.storage.delete_all().await.map_err(storage_failed)?;
        self.storage.delete_alarm().await.map_err(storage_failed)
    }
}

pub async fn set_alarm(storage: &Storage, at: UnixMillis) -> Result<(), LedgerError> {
    let date = js_sys::Date::new(&JsValue::from_f64(at.0 as f64));
    storage.set_alarm(ScheduledTime::new(date)).await.map_err(storage_failed)
}

pub fn storage_failed(error: worker::Error) -> LedgerError {
    LedgerError(format!("storage: {error}"))
}
