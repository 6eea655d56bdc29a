//! The Durable Object that knows who is in quarantine: one for the deployment. An object and not KV, because what is written
//! there must count within seconds everywhere, which KV does not promise.

use crate::{
    ports::{clock::WallClock, object_storage::ObjectStorage},
    prompt, wire,
};
use dispatcher_core::{
    paywall::ports::{Clock, LedgerError},
    protocol::json,
    quarantine::{ListFull, QuarantineCall, Quarantines},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, State, worker_sys::DurableObjectState};

/// The list, as JSON text.
const LIST: &str = "list";

#[wasm_bindgen]
pub struct TenantQuarantine {
    state: State,
}

#[wasm_bindgen]
impl TenantQuarantine {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, _env: Env) -> Self {
        Self { state: State::from(state) }
    }

    pub fn ask(&self, frame: Vec<u8>) -> Result<JsValue, JsValue> {
        prompt::turn(|| {
            let (call, _) = wire::unframe(frame)?;
            Ok(wire::answer(self.answer(call).map(|list| (list, Vec::new()))))
        })
    }
}

impl TenantQuarantine {
    /// Nothing is awaited between reading and writing, so no other call comes in between.
    fn answer(&self, call: QuarantineCall) -> Result<Quarantines, LedgerError> {
        let storage = ObjectStorage::of(&self.state);
        let parse = |text: String| {
            json::read(&text).map_err(|error| LedgerError(format!("stored list is unreadable: {error}")))
        };
        let mut list: Quarantines = storage.text(LIST)?.map(parse).transpose()?.unwrap_or_default();
        if !list.take(call, WallClock.now()).map_err(|ListFull| LedgerError("the list is full".to_owned()))? {
            return Ok(list);
        }
        let text = serde_json::to_string(&list).expect("a list has string keys and plain values");
        storage.put_text(LIST, &text)?;
        Ok(list)
    }
}
