//! The Durable Object that knows which payment has a `payment-identifier`: one per tenant and identifier. Called by the
//! payment's own object, and by nobody else.

use crate::wire::{self, IdentifierAnswer, IdentifierCall, Outcome};
use dispatcher_core::paywall::ledger::identifier::{self, Owner};
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
        let outcome = self.answer(call).await.map_or_else(|error| Outcome::Failed(error.to_string()), Outcome::Done);
        Response::from_bytes(wire::frame(&outcome, &[]))
    }
}

impl PaymentIdentifier {
    /// Nothing but storage is awaited between reading and writing, and storage lets no other call in meanwhile.
    async fn answer(&self, call: IdentifierCall) -> Result<IdentifierAnswer> {
        let storage = self.state.storage();
        let stored: Option<String> = storage.get(OWNER).await?;
        let owner: Option<Owner> = stored.as_deref().map(serde_json::from_str).transpose()?;
        match call {
            IdentifierCall::Bind(by) => {
                let (now, bound) = identifier::bind(owner.clone(), by);
                if owner.as_ref() != Some(&now) {
                    storage.put(OWNER, serde_json::to_string(&now)?).await?;
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
