//! The Worker: implements the dispatcher's ports with workers-rs, and holds the Durable Objects. No decision is made here.
//!
//! Many requests share one isolate and one wasm instance, each with its own I/O context: nothing that belongs to a request
//! (a stream, a stub, a timer) may be kept beyond it. What is kept is what [`cached_config`] says.

mod answer;
mod cached_config;
mod call_object;
mod facilitator_health;
mod ledger_shard;
mod payment_identifier;
mod plain_object;
mod platform;
mod ports;
mod settled_transactions;
mod settlement_ledger;
mod tenant_quarantine;
mod wire;

use dispatcher_core::refusal::Refusal;
use ports::{inbound::WebRequest, later::WaitUntil, log::ConsoleLog};
use web_sys::Response;
use worker::{Context, Env, Result, ScheduleContext, ScheduledEvent, event};

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, ctx: Context) -> Result<Response> {
    let request = WebRequest::new(request);
    let config = match cached_config::get(&env) {
        Ok(config) => config,
        Err(error) => {
            ConsoleLog.misconfigured(&error);
            return answer::ours(&request, &Refusal::Misconfigured);
        }
    };
    let served = platform::server(&env, &config, WaitUntil::Request(ctx)).serve(&request).await;
    let response = answer::to_response(&request, served.answer);
    if let Some(departure) = served.departure {
        let (caller, was_made) = (request.caller(), response.is_ok());
        departure.confirm(move || was_made && !caller.aborted());
    }
    response
}

/// The platform's clock: looks at the books.
#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, ctx: ScheduleContext) {
    match cached_config::get(&env) {
        Ok(config) => platform::server(&env, &config, WaitUntil::Schedule(ctx)).keep_books().await,
        Err(error) => ConsoleLog.misconfigured(&error),
    }
}
