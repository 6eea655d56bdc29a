//! The dispatch namespace. Our own binding, because workers-rs 0.8 calls `get` with two arguments and so drops the limits.

use super::{headers::pairs, inbound::WebRequest, outbound::WebResponse};
use crate::plain_object;
use dispatcher_core::{
    egress::PolicyOf,
    hygiene,
    ports::{Dispatch, Inbound, Namespace},
    tenant_failure::TenantFailure,
};
use js_sys::{Reflect, futures::JsFuture};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Env, EnvBinding};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    #[derive(Clone)]
    type DispatchNamespaceBinding;

    /// `get(name, args, {limits: {cpuMs, subRequests}, outbound: {egress}})`.
    #[wasm_bindgen(method, catch)]
    fn get(
        this: &DispatchNamespaceBinding,
        name: &str,
        args: &JsValue,
        options: &JsValue,
    ) -> Result<worker::worker_sys::Fetcher, JsValue>;
}

impl EnvBinding for DispatchNamespaceBinding {
    const TYPE_NAME: &'static str = "DynamicDispatcher";
}

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

    async fn dispatch(
        binding: &DispatchNamespaceBinding,
        dispatch: Dispatch<'_>,
        request: &WebRequest,
    ) -> Result<web_sys::Response, JsValue> {
        let options = plain_object::from(&Options {
            limits: dispatch.limits,
            outbound: OutboundParameters { egress: dispatch.egress },
        });
        let args = js_sys::Object::new();
        let fetcher = binding.get(dispatch.script, &args, &options)?;
        let request = tenant_request(&dispatch, request)?;
        // `get` is lazy: a tenant that does not exist fails here.
        JsFuture::from(fetcher.fetch(&request)?).await?.dyn_into()
    }
}

impl Namespace for DispatchNamespace {
    type Inbound = WebRequest;
    type Outbound = WebResponse;

    async fn run(&self, dispatch: Dispatch<'_>, request: &WebRequest) -> Result<WebResponse, TenantFailure> {
        let binding: DispatchNamespaceBinding =
            self.env.get_binding("DISPATCHER").map_err(|_| TenantFailure::BindingMissing)?;
        match Self::dispatch(&binding, dispatch, request).await {
            Ok(response) => Ok(WebResponse::new(response)),
            Err(thrown) => {
                let message = thrown.dyn_ref::<js_sys::Error>().map(js_sys::Error::message);
                Err(message.map_or(TenantFailure::Threw, |message| TenantFailure::from_message(&String::from(message))))
            }
        }
    }
}

/// The request with the tenant's path and headers. The body stays the caller's stream.
fn tenant_request(dispatch: &Dispatch<'_>, request: &WebRequest) -> Result<web_sys::Request, JsValue> {
    let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
    let url = format!("{}{}{query}", request.origin(), dispatch.path);
    let unwanted = request.has_unwanted_content();
    let bare;
    let init: &web_sys::RequestInit = if unwanted {
        bare = without_content(request)?;
        &bare
    } else {
        request.inner().unchecked_ref()
    };
    let copy = web_sys::Request::new_with_str_and_init(&url, init)?;
    let headers = copy.headers();
    for (name, value) in pairs(&headers) {
        if (dispatch.strip)(&name, &value) || unwanted && hygiene::describes_content(&name) {
            headers.delete(&name)?;
        }
    }
    for (name, value) in dispatch.set {
        headers.set(name, value)?;
    }
    Ok(copy)
}

/// Makes a request like this one, but for the content: the runtime makes no GET and no HEAD that has some, although a
/// caller can send it.
fn without_content(request: &WebRequest) -> Result<web_sys::RequestInit, JsValue> {
    let like = request.inner();
    let init = web_sys::RequestInit::new();
    init.set_method(request.method());
    init.set_headers(&like.headers());
    init.set_redirect(like.redirect());
    init.set_signal(Some(&like.signal()));
    let cf = "cf".into();
    Reflect::set(&init, &cf, &Reflect::get(like, &cf)?)?;
    Ok(init)
}
