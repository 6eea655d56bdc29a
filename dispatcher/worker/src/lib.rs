//! The Worker: implements the dispatcher's ports with workers-rs, and holds the Durable Objects. No decision is made here.
//!
//! Many requests share one isolate and one wasm instance, each with its own I/O context: nothing that belongs to a request
//! (a stream, a stub, a timer) may be kept beyond it. What is kept is what [`cached_config`] says.

mod answer;
mod cached_config;
mod call_health;
mod call_object;
mod call_quarantine;
mod facilitator_health;
mod payment_identifier;
mod plain_object;
mod ports;
mod settled_transactions;
mod settlement_ledger;
mod tenant_quarantine;
mod wire;

use dispatcher_core::{
    Config, Dispatcher,
    admission::Source,
    answer::Answer,
    paywall::ports::Clock,
    platform_api::{self, PlatformRequest},
    ports::{Inbound, Randomness},
    quarantine::{QuarantineCall, Warden},
    quarantine_request::QuarantineRequest,
    refusal::Refusal,
};
use ports::{
    clock::WallClock, inbound::WebRequest, log::ConsoleLog, namespace::DispatchNamespace, outbound::WebResponse,
    randomness::WebCrypto, rate_limiter::LimitBindings, settlement_ledger::DurableLedger,
};
use std::rc::Rc;
use web_sys::Response;
use worker::{Context, Env, Result, event};

/// How long an answer may be on its way once the Worker has given it away. Calling it handed over at once would deny it to
/// a caller whose connection broke under it, or died with this process; that costs another use of a spent payment a wait
/// before it is refused. Far below the ledger's delivery lease, after which the answer would be given away again.
const ON_ITS_WAY_MS: u64 = 1_000;

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
    let ledger = DurableLedger::new(&env);
    if platform_api::is_platform_path(request.path()) {
        return platform(&request, &env, &ledger, &config).await;
    }
    let warden = cached_config::warden(&config);
    if let Some(errand) = warden.first() {
        call_quarantine::run(&env, &warden, errand).await;
    }
    let namespace = DispatchNamespace::new(&env);
    let (tenants, gate) = (cached_config::tenants(&env, &config), cached_config::gate());
    let board = cached_config::board(&config);
    let dispatcher = Dispatcher::new(config, namespace, ledger, WallClock, WebCrypto, ConsoleLog)
        .with_tenants(tenants)
        .with_warden(Rc::clone(&warden))
        .with_gate(Rc::clone(&gate))
        .with_board(Rc::clone(&board));
    let dispatcher = Rc::new(dispatcher);
    let handled = dispatcher.handle(&request).await;
    if let Some(job) = dispatcher.tenants().due() {
        let dispatcher = Rc::clone(&dispatcher);
        ctx.wait_until(async move { dispatcher.tenants().refresh(job).await });
    }
    if let Some(errand) = warden.due(WallClock.now()) {
        let env = env.clone();
        ctx.wait_until(async move { call_quarantine::run(&env, &warden, errand).await });
    }
    if let Some(news) = board.due(WallClock.now()) {
        let env = env.clone();
        ctx.wait_until(async move { call_health::exchange(&env, &board, news).await });
    }
    if let Some(questions) = gate.questions() {
        let limiter = LimitBindings::new(&env);
        ctx.wait_until(async move { questions.ask(&limiter, &WallClock).await });
    }
    let leaving = handled.leaving;
    let response = answer::to_response(&request, handled.answer);
    if let Some(ticket) = leaving {
        // Off the caller's path: the answer leaves first.
        let (caller, left) = (request.caller(), response.is_ok());
        let afterwards = async move {
            WallClock.sleep(ON_ITS_WAY_MS).await;
            // A caller that was gone by now can come back and collect; so can one whose answer could not be made.
            let delivered = left && !caller.aborted();
            if let Err(error) = dispatcher.handed_over(&ticket, delivered).await {
                ConsoleLog.lost_confirmation(&ticket.payment, &error);
            }
        };
        ctx.wait_until(afterwards);
    }
    response
}

async fn platform(request: &WebRequest, env: &Env, ledger: &DurableLedger, config: &Config) -> Result<Response> {
    let warden = &*cached_config::warden(config);
    let token = env.secret("PLATFORM_TOKEN").ok().map(|token| token.to_string());
    let authorization = request.header("authorization");
    let (source, is_a_guess) = (Source::of(request), authorization.is_some());
    let admit = || platform_api::admit(request.method(), request.path(), authorization.as_deref(), token.as_deref());
    match cached_config::token_guard().watch(source.as_ref(), is_a_guess, WallClock.now(), admit) {
        Err(refusal) => answer::ours(request, &refusal),
        Ok(PlatformRequest::Facilitators) => match call_health::describe(env).await {
            Ok(described) => described_as(request, &described),
            Err(error) => {
                ConsoleLog.health_unavailable(&error);
                answer::ours(request, &Refusal::HealthUnavailable)
            }
        },
        Ok(PlatformRequest::Quarantines) => quarantine(request, env, warden, QuarantineCall::List).await,
        Ok(PlatformRequest::LiftQuarantine(id)) => quarantine(request, env, warden, QuarantineCall::Lift(id)).await,
        Ok(PlatformRequest::Quarantine(id)) => {
            let asked = match QuarantineRequest::read(&id, &request.text().await?, WallClock.now()) {
                Ok(asked) => asked.for_tenant(cached_config::tenants(env, config).knows(&id).await),
                Err(why) => Err(Refusal::PlatformBody { why }),
            };
            match asked {
                Ok(asked) => quarantine(request, env, warden, QuarantineCall::Put(asked)).await,
                Err(refusal) => answer::ours(request, &refusal),
            }
        }
        Ok(PlatformRequest::Payment(payment)) => match ledger.describe(&payment).await {
            Ok(described) => described_as(request, &described),
            Err(error) => {
                ConsoleLog.ledger_unavailable(&payment, &error);
                answer::ours(request, &Refusal::LedgerUnavailable)
            }
        },
    }
}

async fn quarantine(request: &WebRequest, env: &Env, warden: &Warden, call: QuarantineCall) -> Result<Response> {
    match call_quarantine::call(env, warden, call).await {
        Ok(list) => described_as(request, &serde_json::json!({ "quarantines": list })),
        Err(error) => {
            ConsoleLog.quarantine_unavailable(&error);
            answer::ours(request, &Refusal::QuarantineUnavailable)
        }
    }
}

fn described_as(request: &WebRequest, described: &serde_json::Value) -> Result<Response> {
    let request_id = WebCrypto.request_id();
    let answer: Answer<WebResponse> = answer::json(200, described).with("x-request-id", request_id);
    answer::to_response(request, answer)
}
