//! The outbound Worker: every request that a tenant's Worker makes passes it. What may leave is `dispatcher_core::egress`'s to
//! say; here is only the runtime around it.
//!
//! Surprising constraint: it follows no redirect. The tenant's own `fetch` does, and so each hop comes by here as a request
//! of its own, is looked at like the first one, and counts against the tenant's subrequests.

use dispatcher_core::{
    egress::{self, Destination, HostPattern, PARAMETER, Policy, Refused},
    protocol::json,
};
use js_sys::{JSON, Object, Promise, Reflect, futures::JsFuture};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{Request, RequestInit, RequestRedirect, Response, ResponseInit, console};
use worker::{Context, Env, Result, event};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(request: &Request) -> std::result::Result<Promise, JsValue>;
}

/// Why nothing leaves, whoever asks.
const NO_POLICY: &str = "no_policy";
const MISCONFIGURED: &str = "misconfigured";

#[event(fetch)]
async fn fetch_event(request: Request, env: Env, _: Context) -> Result<Response> {
    let policy = policy(&env);
    let tenant_id = policy.as_ref().map_or("", |policy| policy.tenant_id.as_str());
    let decided = match (&policy, platform_hosts(&env)) {
        (None, _) => Err(NO_POLICY),
        (_, None) => Err(MISCONFIGURED),
        (Some(policy), Some(platform)) => {
            egress::decide(&request.url(), &policy.egress, &platform).map_err(Refused::code)
        }
    };
    match decided {
        Ok(to) => {
            log(tenant_id, &request, Ok(&to));
            let init = RequestInit::new();
            init.set_redirect(RequestRedirect::Manual);
            // What a tenant may tell its own fetch of caches and origins would be told here in the platform's name.
            Reflect::set(&init, &"cf".into(), &Object::new())?;
            let onward = Request::new_with_request_and_init(&request, &init)?;
            Ok(JsFuture::from(fetch(&onward)?).await?.unchecked_into())
        }
        Err(code) => {
            log(tenant_id, &request, Err(code));
            refusal(code)
        }
    }
}

/// As the dispatcher handed it over, under the name that its configuration lists.
fn policy(env: &Env) -> Option<Policy> {
    let value = Reflect::get(env, &PARAMETER.into()).ok()?;
    let text = JSON::stringify(&value).ok()?.as_string()?;
    json::read(&text).ok()
}

fn platform_hosts(env: &Env) -> Option<Vec<HostPattern>> {
    json::read(&env.var("PLATFORM_HOSTS").ok()?.to_string()).ok()
}

/// A line a request, so that they can be counted by tenant and host. Of a URL that was refused nothing is told but why: paths
/// and queries hold secrets, and a host that cannot be read is anybody's text.
fn log(tenant_id: &str, request: &Request, decided: std::result::Result<&Destination, &str>) {
    let line = match decided {
        Ok(to) => json!({"log": "egress", "tenant_id": tenant_id, "method": request.method(), "host": to.to_string()}),
        Err(code) => json!({"log": "egress", "tenant_id": tenant_id, "method": request.method(), "refused": code}),
    };
    console::log_1(&line.to_string().into());
}

/// In place of the host's answer.
fn refusal(code: &str) -> Result<Response> {
    let message = match code {
        NO_POLICY | MISCONFIGURED => "nothing may leave: the platform's outbound policy is missing",
        _ => "this platform's outbound policy refuses the request",
    };
    let body = json!({"error": {"code": "egress_refused", "reason": code, "message": message}}).to_string();
    let init = ResponseInit::new();
    init.set_status(403);
    let response = Response::new_with_opt_str_and_init(Some(&body), &init)?;
    response.headers().set("content-type", "application/json")?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}
