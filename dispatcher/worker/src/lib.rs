//! The Worker: implements the dispatcher's ports with workers-rs, and holds the Durable Objects. No decision is made here.
//!
//! Many requests share one isolate and one wasm instance, each with its own I/O context: nothing that belongs to a request
//! (a stream, a stub, a timer) may be kept beyond it. What is kept is what [`cached_config`] says.

mod answer;
mod cached_config;
mod call_object;
mod facilitator_health;
mod glue;
mod ledger_shard;
mod payment_identifier;
mod plain_object;
mod platform;
mod ports;
mod prompt;
mod settled_transactions;
mod settlement_ledger;
mod tenant_quarantine;
mod wire;

use dispatcher_core::refusal::Refusal;
use ports::{inbound::WebRequest, later::WaitUntil, log::ConsoleLog};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::Response;
use worker::{Env, Result, worker_sys::Context};

/// Answers a request, which comes as one text as well: method and URL, and then names and values of its headers by turns, a line
/// each. Gives a response, or a promise of one where something has to be waited for. `entry.js` calls it.
#[wasm_bindgen]
pub fn serve(text: String, request: web_sys::Request, env: Env, ctx: Context) -> std::result::Result<JsValue, JsValue> {
    prompt::answer(async move {
        let request = WebRequest::new(text, request);
        let response = answer_to(&request, &env, ctx).await;
        Ok(response.unwrap_or_else(|error| answer::failed(&error)).into())
    })
}

async fn answer_to(request: &WebRequest, env: &Env, ctx: Context) -> Result<Response> {
    let config = match cached_config::get(env) {
        Ok(config) => config,
        Err(error) => {
            ConsoleLog.misconfigured(&error);
            return answer::ours(request, &Refusal::Misconfigured);
        }
    };
    let served = platform::server(env, &config, WaitUntil(ctx)).serve(request).await;
    let response = answer::to_response(request, served.answer);
    if let Some(departure) = served.departure {
        let (caller, was_made) = (request.caller(), response.is_ok());
        departure.confirm(move || was_made && !caller.aborted());
    }
    response
}

/// Looks at the books. `entry.js` calls it if the platform's clock asks.
#[wasm_bindgen]
pub fn keep_books(env: Env, ctx: Context) -> std::result::Result<JsValue, JsValue> {
    prompt::answer(async move {
        match cached_config::get(&env) {
            Ok(config) => platform::server(&env, &config, WaitUntil(ctx)).keep_books().await,
            Err(error) => ConsoleLog.misconfigured(&error),
        }
        Ok(JsValue::UNDEFINED)
    })
}
