//! One call to a Durable Object of ours: the object is addressed by its name, the call and the answer are framed by
//! [`wire`].

use crate::wire;
use dispatcher_core::paywall::ports::LedgerError;
use serde::{Serialize, de::DeserializeOwned};
use worker::{Env, Request, Response};

/// A class of Durable Objects, by the name of its binding.
#[derive(Clone, Copy)]
pub enum Objects {
    /// One per payment key.
    SettlementLedger,
    /// One per tenant and `payment-identifier`.
    PaymentIdentifier,
    /// One for the deployment.
    FacilitatorHealth,
}

impl Objects {
    fn binding(self) -> &'static str {
        match self {
            Self::SettlementLedger => "SETTLEMENT_LEDGER",
            Self::PaymentIdentifier => "PAYMENT_IDENTIFIER",
            Self::FacilitatorHealth => "FACILITATOR_HEALTH",
        }
    }
}

/// Sends `call` to the object called `name`, and returns its answer with the bytes that follow it.
pub async fn call_object<A: DeserializeOwned>(
    env: &Env,
    objects: Objects,
    name: &str,
    call: &impl Serialize,
    body: &[u8],
) -> Result<(A, Vec<u8>), LedgerError> {
    let sent = send(env, objects, name, wire::frame(call, body)).await;
    let mut response = sent.map_err(|error| LedgerError(error.to_string()))?;
    // In one piece and not as a stream, which costs a paid request several percent: it is ours, and bounded when it is stored.
    let bytes = response.bytes().await.map_err(|error| LedgerError(error.to_string()))?;
    let (answer, body) = wire::unframe(bytes).map_err(LedgerError)?;
    match answer {
        wire::Outcome::Done(answer) => Ok((answer, body)),
        wire::Outcome::Failed(why) => Err(LedgerError(why)),
    }
}

async fn send(env: &Env, objects: Objects, name: &str, frame: Vec<u8>) -> worker::Result<Response> {
    let stub = env.durable_object(objects.binding())?.id_from_name(name)?.get_stub()?;
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&js_sys::Uint8Array::from(frame.as_slice()));
    // The object is addressed by its stub; the host only has to be a valid URL.
    let request = web_sys::Request::new_with_str_and_init("https://durable-object/", &init)?;
    stub.fetch_with_request(Request::from(request)).await
}
