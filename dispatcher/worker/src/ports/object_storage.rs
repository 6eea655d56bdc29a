//! A Durable Object's storage, by its synchronous side: workers-rs 0.8 has only the asynchronous one, whose every promise
//! costs a turn of the event loop.
//!
//! Nothing here says that a write is safe. The platform holds every answer and every call of an object back until what it
//! wrote before is; what is written without an `await` in between is stored together or not at all; and a write that
//! fails in the end takes the object down with it, so that nothing goes by it.

use crate::{plain_object, prompt};
use dispatcher_core::paywall::{UnixMillis, ports::LedgerError};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::State;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type StorageBinding;

    #[wasm_bindgen(method, getter)]
    fn kv(this: &StorageBinding) -> KvBinding;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &StorageBinding, at_unix_ms: f64) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = deleteAlarm)]
    fn delete_alarm(this: &StorageBinding) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    fn delete_all(this: &StorageBinding) -> Result<Promise, JsValue>;

    #[wasm_bindgen(extends = js_sys::Object)]
    type KvBinding;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvBinding, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &KvBinding, key: &str, value: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &KvBinding, key: &str) -> Result<bool, JsValue>;

    /// An iterable of `[key, value]`, in the order of keys.
    #[wasm_bindgen(method, catch)]
    fn list(this: &KvBinding, options: &JsValue) -> Result<JsValue, JsValue>;
}

pub struct ObjectStorage {
    storage: StorageBinding,
    kv: KvBinding,
}

impl ObjectStorage {
    pub fn of(state: &State) -> Self {
        let storage = state.as_raw().storage().expect("every object of ours has storage");
        let storage: StorageBinding = storage.unchecked_into();
        Self { kv: storage.kv(), storage }
    }

    pub fn text(&self, key: &str) -> Result<Option<String>, LedgerError> {
        self.kv.get(key).map(|value| value.as_string()).map_err(storage_failed)
    }

    pub fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let value = self.kv.get(key).map_err(storage_failed)?;
        Ok(value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec))
    }

    pub fn put_text(&self, key: &str, text: &str) -> Result<(), LedgerError> {
        self.kv.put(key, &JsValue::from_str(text)).map_err(storage_failed)
    }

    pub fn put_bytes(&self, key: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        self.kv.put(key, &Uint8Array::from(bytes)).map_err(storage_failed)
    }

    pub fn delete(&self, key: &str) -> Result<(), LedgerError> {
        self.kv.delete(key).map(drop).map_err(storage_failed)
    }

    /// The first keys before `end`, at most so many.
    pub fn keys_up_to(&self, end: &str, limit: usize) -> Result<Vec<String>, LedgerError> {
        let options = plain_object::from(&serde_json::json!({ "end": end, "limit": limit }));
        let listed = self.kv.list(&options).map_err(storage_failed)?;
        let mut keys = Vec::new();
        for entry in js_sys::try_iter(&listed).map_err(storage_failed)?.into_iter().flatten() {
            let entry = entry.map_err(storage_failed)?;
            keys.extend(js_sys::Reflect::get_u32(&entry, 0).ok().and_then(|key| key.as_string()));
        }
        Ok(keys)
    }

    /// Stored with what is written around it.
    pub fn set_alarm(&self, at: UnixMillis) -> Result<(), LedgerError> {
        // Its promise tells nothing that the platform does not act on itself.
        self.storage.set_alarm(at.0 as f64).map(drop).map_err(storage_failed)
    }

    pub async fn delete_alarm(&self) -> Result<(), LedgerError> {
        let deleted = self.storage.delete_alarm().map_err(storage_failed)?;
        prompt::promised(deleted).await.map(drop).map_err(storage_failed)
    }

    pub async fn delete_all(&self) -> Result<(), LedgerError> {
        let deleted = self.storage.delete_all().map_err(storage_failed)?;
        prompt::promised(deleted).await.map(drop).map_err(storage_failed)
    }
}

fn storage_failed(thrown: JsValue) -> LedgerError {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    LedgerError(format!("storage: {}", message.unwrap_or_default()))
}
