//! The Durable Object that knows which payment has a `payment-identifier`: one per tenant and identifier. Called by the
//! payment's own object, and by nobody else.

use crate::{
    ports::object_storage::ObjectStorage,
    wire::{self, IdentifierAnswer, IdentifierCall, Outcome},
};
use dispatcher_core::{
    paywall::{
        ledger::identifier::{self, Owner},
        ports::LedgerError,
    },
    protocol::json,
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The owner, as JSON text.
const OWNER: &str = "owner";

#[durable_object(fetch)]
pub struct PaymentIdentifier {
    state: State,
}

impl DurableObject for PaymentIdentifier {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (call, _) = wire::unframe(request.bytes().await?)?;
        let outcome = self.answer(call).await.map_or_else(|error| Outcome::Failed(error.0), Outcome::Done);
        Response::from_bytes(wire::frame(&outcome, &[]))
    }
}

impl PaymentIdentifier {
    /// Nothing is awaited between reading and writing, so no other call comes in between.
    async fn answer(&self, call: IdentifierCall) -> std::result::Result<IdentifierAnswer, LedgerError> {
        let storage = ObjectStorage::of(&self.state);
        let parse = |text: String| {
            json::read(&text).map_err(|error| LedgerError(format!("stored owner is unreadable: {error}")))
        };
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
}
