//! The dispatch namespace. Our own binding: `get(name, args, {limits: {cpuMs, subRequests}, outbound: {egress}})`, because
//! workers-rs 0.8 calls it with two arguments and so drops the limits.

use super::{inbound::WebRequest, outbound::WebResponse};
use crate::{glue, prompt};
use dispatcher_core::{
    egress::PolicyOf,
    hygiene,
    ports::{Dispatch, Inbound, Namespace},
    tenant_failure::TenantFailure,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;
use worker::Env;

#[derive(serde::Serialize)]
struct Options<'a> {
    limits: dispatcher_core::plan::Limits,
    outbound: OutboundParameters<'a>,
}

/// The parameters as `wrangler.jsonc` names them. Without an outbound Worker the platform passes over them.
#[derive(serde::Serialize)]
struct OutboundParameters<'a> {
    egress: PolicyOf<'a>,
}

pub struct DispatchNamespace {
    env: Env,
}

impl DispatchNamespace {
    /// The binding is looked for when something is dispatched: most requests are unpaid, and without it the rest of the
    /// Worker still runs.
    pub fn new(env: &Env) -> Self {
        Self { env: env.clone() }
    }

    /// `None` without the binding.
    async fn answer(&self, dispatch: &Dispatch<'_>, request: &WebRequest) -> Result<Option<Response>, JsValue> {
        let options =
            plain(&Options { limits: dispatch.limits, outbound: OutboundParameters { egress: dispatch.egress } });
        let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
        let url = format!("{}{}{query}", request.origin(), dispatch.path);
        let named = |names: &dyn Fn(&str, &str) -> bool| {
            glue::lines(request.headers().filter(|(name, value)| names(name, value)).map(|(name, _)| name))
        };
        let dropped = named(&|name, value| (dispatch.strip)(name, value))?;
        let of_content = named(&|name, _| hygiene::describes_content(name))?;
        let of_content = request.is_without_content().then_some(of_content.as_str());
        let set = glue::lines(dispatch.set.iter().flat_map(|(name, value)| [*name, *value]))?;
        let (env, script, request) = (&self.env, dispatch.script, request.inner());
        let mut is_bound = false;
        let answer = prompt::until(|ticket, settled| {
            is_bound =
                glue::dispatch(env, script, &options, request, &url, &dropped, of_content, &set, ticket, settled)?;
            if is_bound { Ok(()) } else { Err(JsValue::UNDEFINED) }
        });
        match answer.await {
            // A namespace looks for nothing before it is asked: a tenant that does not exist fails here.
            Ok(answer) => answer.value.dyn_into().map(Some),
            Err(_) if !is_bound => Ok(None),
            Err(thrown) => Err(thrown),
        }
    }
}

impl Namespace for DispatchNamespace {
    type Inbound = WebRequest;
    type Outbound = WebResponse;

    async fn run(&self, dispatch: Dispatch<'_>, request: &WebRequest) -> Result<WebResponse, TenantFailure> {
        match self.answer(&dispatch, request).await {
            Ok(response) => response.map(WebResponse::new).ok_or(TenantFailure::BindingMissing),
            Err(thrown) => {
                let message = thrown.dyn_ref::<js_sys::Error>().map(js_sys::Error::message);
                Err(message.map_or(TenantFailure::Threw, |message| TenantFailure::from_message(&String::from(message))))
            }
        }
    }
}

/// The second argument of the binding's `get`, as JSON.
fn plain(options: &Options<'_>) -> String {
    serde_json::to_string(options).expect("options have string keys and plain values")
}
