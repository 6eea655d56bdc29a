//! The outbound Worker: every request that a tenant's Worker makes passes it. What may leave is `dispatcher_core::egress`'s to
//! say; here is only the runtime around it.
//!
//! Surprising constraint: it follows no redirect. The tenant's own `fetch` does, and so each hop comes by here as a request
//! of its own, is looked at like the first one, and counts against the tenant's subrequests.

use dispatcher_core::{
    egress::{self, Destination, HostPattern, MAY_NOT_LEAVE, PARAMETER, Policy, Refused},
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

/// Why nothing leaves, whoever asks: as answers have it, and for the operator.
struct Closed {
    code: &'static str,
    why: String,
}

impl Closed {
    fn refuse(&self, tenant_id: &str, request: &Request) -> Result<Response> {
        let Self { code, why } = self;
        let line =
            json!({"log": "egress", "tenant_id": tenant_id, "method": request.method(), "refused": code, "error": why});
        console::error_1(&line.to_string().into());
        refusal(code, "nothing leaves: the platform's outbound Worker is misconfigured; its log says where")
    }
}

#[event(fetch)]
async fn fetch_event(request: Request, env: Env, _: Context) -> Result<Response> {
    let (policy, platform) = match (policy(&env), platform_hosts(&env)) {
        (Ok(policy), Ok(platform)) => (policy, platform),
        (Err(closed), _) => return closed.refuse("", &request),
        (Ok(policy), Err(closed)) => return closed.refuse(&policy.tenant_id, &request),
    };
    let tenant_id = policy.tenant_id.as_str();
    match egress::decide(&request.url(), &policy.egress, &platform).map_err(Refused::code) {
        Ok(to) => {
            log(tenant_id, &request, Ok(&to));
            let init = RequestInit::new();
            init.set_redirect(RequestRedirect::Manual);
            // What a tenant may tell its own fetch of caches and origins would be told here in the platform's name.
            Reflect::set(&init, &"cf".into(), &Object::new())?;
            let onward = Request::new_with_request_and_init(&request, &init)?;
            let headers = onward.headers();
            for name in MAY_NOT_LEAVE {
                headers.delete(name)?;
            }
            // The URL's own, which is the host that was decided about.
            headers.set("host", &host_of(&onward.url()))?;
            Ok(JsFuture::from(fetch(&onward)?).await?.unchecked_into())
        }
        Err(code) => {
            log(tenant_id, &request, Err(code));
            refusal(code, "this platform's outbound policy refuses the request")
        }
    }
}

/// The authority of a URL that may leave: those with userinfo are refused before.
fn host_of(url: &str) -> String {
    let after = url.split_once("://").map_or("", |(_, after)| after);
    after.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

/// The policy as the dispatcher handed it over, under the name that its configuration lists.
fn policy(env: &Env) -> std::result::Result<Policy, Closed> {
    let closed = |why: String| Closed { code: "no_policy", why };
    let value = Reflect::get(env, &PARAMETER.into()).ok();
    let text = value.and_then(|value| JSON::stringify(&value).ok()?.as_string()).ok_or_else(|| {
        closed(format!("no {PARAMETER:?} came with the dispatch: the dispatcher must list it in outbound.parameters"))
    })?;
    json::read(&text).map_err(|error| closed(format!("{PARAMETER}: {error}")))
}

fn platform_hosts(env: &Env) -> std::result::Result<Vec<HostPattern>, Closed> {
    let closed = |why: String| Closed { code: "misconfigured", why };
    let text = env.var("PLATFORM_HOSTS").map_err(|_| closed("PLATFORM_HOSTS is not set".to_owned()))?.to_string();
    json::read(&text).map_err(|error| closed(format!("PLATFORM_HOSTS: {error}")))
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

/// In place of the host's answer. It goes to a tenant's code, so it says nothing of what is configured, but that something is amiss.
fn refusal(code: &str, message: &str) -> Result<Response> {
    let body = json!({"error": {"code": "egress_refused", "reason": code, "message": message}}).to_string();
    let init = ResponseInit::new();
    init.set_status(403);
    let response = Response::new_with_opt_str_and_init(Some(&body), &init)?;
    response.headers().set("content-type", "application/json")?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}
