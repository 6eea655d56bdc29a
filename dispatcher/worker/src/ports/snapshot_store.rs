//! Snapshots of the tenant directory in Workers KV. Our own binding, because that of workers-rs brings a builder with it for every
//! kind of value.

use crate::prompt;
use dispatcher_core::{directory::snapshot::CURRENT, ports::SnapshotStore};
use js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Env, EnvBinding};

/// KV's least: how old its edge cache may be.
const CURRENT_CACHE_TTL_S: f64 = 30.0;
/// A snapshot's own keys never change.
const SNAPSHOT_CACHE_TTL_S: f64 = 86_400.0;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    #[derive(Clone)]
    type KvBinding;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvBinding, key: &str, options: &JsValue) -> Result<Promise, JsValue>;
}

impl EnvBinding for KvBinding {
    const TYPE_NAME: &'static str = "KvNamespace";
}

pub struct KvSnapshots(Env);

impl KvSnapshots {
    pub fn new(env: &Env) -> Self {
        Self(env.clone())
    }
}

impl SnapshotStore for KvSnapshots {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        // Without the binding there is nothing stored: all tenants are in `TENANT_DIRECTORY`.
        let Ok(binding) = self.0.get_binding::<KvBinding>("DIRECTORY") else { return Ok(None) };
        match read(&binding, key).await {
            Ok(value) => Ok(value.dyn_into::<ArrayBuffer>().ok().map(|bytes| Uint8Array::new(&bytes).to_vec())),
            Err(thrown) => {
                let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
                Err(message.unwrap_or_else(|| "KV failed".to_owned()))
            }
        }
    }
}

/// KV keeps in its cache that a key is not there, too, and for as long: a snapshot's key that a location asked for too early
/// would be missing there for a day. So what is missing is asked for again, as what changes is.
async fn read(binding: &KvBinding, key: &str) -> Result<JsValue, JsValue> {
    let ttl = if key == CURRENT { CURRENT_CACHE_TTL_S } else { SNAPSHOT_CACHE_TTL_S };
    match get(binding, key, ttl).await {
        Ok(missing) if missing.is_null() && key != CURRENT => get(binding, key, CURRENT_CACHE_TTL_S).await,
        read => read,
    }
}

async fn get(binding: &KvBinding, key: &str, ttl: f64) -> Result<JsValue, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"type".into(), &"arrayBuffer".into())?;
    Reflect::set(&options, &"cacheTtl".into(), &ttl.into())?;
    prompt::promised(binding.get(key, &options)?).await
}
