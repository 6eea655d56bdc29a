//! Sends requests to facilitators: bounded in time and size, redirects refused.

use super::outbound::read_bounded;
use dispatcher_core::{
    paywall::ports::{
        FacilitatorAnswer, FacilitatorTransport, HttpRequest, MAX_FACILITATOR_ANSWER_BYTES, TransportError,
    },
    ports::CollectError,
};
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, RequestInit, RequestRedirect};
use worker::{Fetch, Headers, Request, Response};

pub struct FetchTransport;

impl FacilitatorTransport for FetchTransport {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        // One signal for the whole exchange: a facilitator may also hang half way through its body.
        let timeout = u32::try_from(request.timeout_ms).unwrap_or(u32::MAX);
        let signal = AbortSignal::timeout_with_u32(timeout);
        let failed = || if signal.aborted() { TransportError::Timeout } else { TransportError::Unreachable };
        let request = to_fetch(&request, &signal).map_err(|_| TransportError::Unreachable)?;
        let response: Response = Fetch::Request(request).send().await.map_err(|_| failed())?;
        let status = response.status_code();
        if (300..400).contains(&status) {
            return Err(TransportError::Redirect);
        }
        let body = read_bounded(response, MAX_FACILITATOR_ANSWER_BYTES).await;
        match body {
            Ok(body) => Ok(FacilitatorAnswer { status, body }),
            Err(CollectError::TooLarge) => Err(TransportError::TooLarge),
            Err(CollectError::Broken) => Err(failed()),
        }
    }
}

fn to_fetch(request: &HttpRequest<'_>, signal: &AbortSignal) -> Result<Request, JsValue> {
    let init = RequestInit::new();
    let headers = Headers::new();
    match request.json {
        None => init.set_method("GET"),
        Some(json) => {
            init.set_method("POST");
            init.set_body(&JsValue::from_str(json));
            headers.set("content-type", "application/json").map_err(JsValue::from)?;
        }
    }
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(signal));
    headers.set("accept", "application/json").map_err(JsValue::from)?;
    for header in request.headers {
        headers.set(&header.name, &header.value).map_err(JsValue::from)?;
    }
    init.set_headers(&headers.0);
    web_sys::Request::new_with_str_and_init(request.url, &init).map(Request::from)
}
