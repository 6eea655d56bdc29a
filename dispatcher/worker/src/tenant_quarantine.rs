//! The Durable Object that knows who is in quarantine: one for the deployment. An object and not KV, because what is written
//! there must count within seconds everywhere, which KV does not promise.

use crate::{
    ports::{clock::WallClock, object_storage::ObjectStorage},
    wire::{self, Outcome},
};
use dispatcher_core::{
    paywall::ports::{Clock, LedgerError},
    protocol::json,
    quarantine::{ListFull, QuarantineCall, Quarantines},
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The list, as JSON text.
const LIST: &str = "list";

#[durable_object(fetch)]
pub struct TenantQuarantine {
    state: State,
}

impl DurableObject for TenantQuarantine {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (call, _) = wire::unframe(request.bytes().await?)?;
        let outcome = self.answer(call).await.map_or_else(|error| Outcome::Failed(error.0), Outcome::Done);
        Response::from_bytes(wire::frame(&outcome, &[]))
    }
}

impl TenantQuarantine {
    /// Nothing is awaited between reading and writing, so no other call comes in between.
    async fn answer(&self, call: QuarantineCall) -> std::result::Result<Quarantines, LedgerError> {
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
