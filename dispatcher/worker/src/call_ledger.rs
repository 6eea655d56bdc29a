//! One call to a payment's ledger object.

use crate::{
    ports::outbound::read_bounded,
    wire::{self, Answer, Call},
};
use dispatcher_core::paywall::{
    ports::LedgerError,
    response::{MAX_RESPONSE_BYTES, MAX_RESPONSE_HEADER_BYTES},
};
use worker::{Env, Request, Response};

/// Name of the Durable Object binding.
const BINDING: &str = "SETTLEMENT_LEDGER";
/// A stored response, its head as JSON, and the rest of the line.
const MAX_ANSWER_BYTES: usize = MAX_RESPONSE_BYTES + 2 * MAX_RESPONSE_HEADER_BYTES + 64 * 1024;

/// Sends `call` to the object of `payment`, and returns its answer with the bytes that follow it.
pub async fn call_ledger(env: &Env, payment: &str, call: &Call, body: &[u8]) -> Result<(Answer, Vec<u8>), LedgerError> {
    let response = send(env, payment, call, body).await.map_err(|error| LedgerError(error.to_string()))?;
    let bytes =
        read_bounded(response, MAX_ANSWER_BYTES).await.map_err(|error| LedgerError(format!("answer is {error:?}")))?;
    match wire::unframe(bytes).map_err(LedgerError)? {
        (Answer::Failed(why), _) => Err(LedgerError(why)),
        answered => Ok(answered),
    }
}

async fn send(env: &Env, payment: &str, call: &Call, body: &[u8]) -> worker::Result<Response> {
    let stub = env.durable_object(BINDING)?.id_from_name(payment)?.get_stub()?;
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&js_sys::Uint8Array::from(wire::frame(call, body).as_slice()));
    // The object is addressed by its stub; the host only has to be a valid URL.
    let request = web_sys::Request::new_with_str_and_init("https://settlement-ledger/", &init)?;
    stub.fetch_with_request(Request::from(request)).await
}
