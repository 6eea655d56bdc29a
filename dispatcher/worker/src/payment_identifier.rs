//! The Durable Object that knows which payment has a `payment-identifier`: one per tenant and identifier. Called by the
//! payment's own object, and by nobody else.

use crate::{
    ports::object_storage::ObjectStorage,
    prompt,
    wire::{self, IdentifierAnswer, IdentifierCall},
};
use dispatcher_core::{
    paywall::{
        ledger::identifier::{self, Owner},
        ports::LedgerError,
    },
    protocol::json,
};
use std::rc::Rc;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, State, worker_sys::DurableObjectState};

/// The owner, as JSON text.
const OWNER: &str = "owner";

#[wasm_bindgen]
pub struct PaymentIdentifier(Rc<State>);

#[wasm_bindgen]
impl PaymentIdentifier {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, _env: Env) -> Self {
        Self(Rc::new(State::from(state)))
    }

    pub fn ask(&self, frame: Vec<u8>) -> Result<JsValue, JsValue> {
        let state = Rc::clone(&self.0);
        prompt::answer(async move {
            let (call, _) = wire::unframe(frame)?;
            Ok(wire::answer(answer(&state, call).await.map(|answer| (answer, Vec::new()))))
        })
    }
}

/// Nothing is awaited between reading and writing, so no other call comes in between.
async fn answer(state: &State, call: IdentifierCall) -> Result<IdentifierAnswer, LedgerError> {
    let storage = ObjectStorage::of(state);
    let parse =
        |text: String| json::read(&text).map_err(|error| LedgerError(format!("stored owner is unreadable: {error}")));
    let owner: Option<Owner> = storage.text(OWNER)?.map(parse).transpose()?;
    match call {
        IdentifierCall::Bind(by) => {
            let (now, bound) = identifier::bind(owner.clone(), by);
            if owner.as_ref() != Some(&now) {
                let text = serde_json::to_string(&now).expect("owners have string keys and plain values");
                storage.put_text(OWNER, &text)?;
            }
            Ok(IdentifierAnswer::Bound(bound))
        }
        IdentifierCall::Unbind(by) => {
            if owner.is_some() && identifier::unbind(owner, &by).is_none() {
                storage.delete_all().await?;
            }
            Ok(IdentifierAnswer::Noted)
        }
    }
}
