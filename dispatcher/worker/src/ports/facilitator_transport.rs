//! Sends requests to facilitators: bounded in time and size, redirects not followed.

use super::{clock::WallClock, credential_signer::SubtleSigner, outbound::read_bounded};
use crate::plain_object;
use dispatcher_core::{
    paywall::ports::{
        Clock, FacilitatorAnswer, FacilitatorTransport, HttpRequest, MAX_FACILITATOR_ANSWER_BYTES, TransportError,
    },
    ports::CollectError,
};
use js_sys::{Promise, Uint8Array, futures::JsFuture};
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{AbortSignal, RequestInit, Response};

#[wasm_bindgen]
extern "C" {
    /// With a URL, and so without a `Request` made of it first.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

pub struct FetchTransport;

impl FacilitatorTransport for FetchTransport {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let headers = headers(&request).await?;
        // One signal for the whole exchange: a facilitator may also hang half way through its body.
        let timeout = u32::try_from(request.timeout_ms).unwrap_or(u32::MAX);
        let signal = AbortSignal::timeout_with_u32(timeout);
        let failed = || if signal.aborted() { TransportError::Timeout } else { TransportError::Unreachable };
        let sent = fetch(request.url, &init(&request, headers, &signal)).map_err(|_| TransportError::Unreachable)?;
        let response = JsFuture::from(sent).await.map_err(|_| failed())?;
        let response: Response = response.unchecked_into();
        let status = response.status();
        if (300..400).contains(&status) {
            let target = response.headers().get("location").expect("a valid header name").unwrap_or_default();
            return Ok(FacilitatorAnswer { status, body: target.into_bytes() });
        }
        match read(&response).await {
            Ok(body) => Ok(FacilitatorAnswer { status, body }),
            Err(CollectError::TooLarge) => Err(TransportError::TooLarge),
            Err(CollectError::Broken) => Err(failed()),
        }
    }
}

/// In one piece where the length is known to be small, as a stream where it is not: a stream costs two more turns.
async fn read(response: &Response) -> Result<Vec<u8>, CollectError> {
    if !is_surely_small(response) {
        return read_bounded(response, MAX_FACILITATOR_ANSWER_BYTES).await;
    }
    let whole = response.array_buffer().map_err(|_| CollectError::Broken)?;
    let whole = JsFuture::from(whole).await.map_err(|_| CollectError::Broken)?;
    Ok(Uint8Array::new(&whole).to_vec())
}

/// HTTP itself ends a message at its content-length, but one that is compressed says how long it is before it is unpacked,
/// and one that comes in chunks may say whatever it likes.
fn is_surely_small(response: &Response) -> bool {
    let headers = response.headers();
    let header = |name| headers.get(name).expect("the names we ask for are valid header names");
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    let bounds = ["content-encoding", "transfer-encoding"].into_iter().all(|other| header(other).is_none());
    bounds && length.is_some_and(|length| length <= MAX_FACILITATOR_ANSWER_BYTES)
}

#[derive(Serialize)]
struct Init<'a> {
    method: &'static str,
    redirect: &'static str,
    headers: Headers<'a>,
}

type Headers<'a> = BTreeMap<&'a str, Cow<'a, str>>;

/// Ours and the configured ones. Without a credential nothing is sent.
async fn headers<'a>(request: &HttpRequest<'a>) -> Result<Headers<'a>, TransportError> {
    let content_type = request.json.map(|_| ("content-type", "application/json"));
    // One by one: collecting would bring a sort into the wasm.
    let mut headers = BTreeMap::new();
    for (name, value) in content_type.into_iter().chain([("accept", "application/json")]) {
        headers.insert(name, Cow::Borrowed(value));
    }
    for header in request.headers {
        let value = header.value(request, WallClock.now(), &SubtleSigner).await;
        headers.insert(header.name.as_str(), value.map_err(|_| TransportError::Unsigned)?);
    }
    Ok(headers)
}

fn init(request: &HttpRequest<'_>, headers: Headers<'_>, signal: &AbortSignal) -> RequestInit {
    let method = if request.json.is_some() { "POST" } else { "GET" };
    let init: RequestInit = plain_object::from(&Init { method, redirect: "manual", headers }).unchecked_into();
    if let Some(json) = request.json {
        init.set_body(&JsValue::from_str(json));
    }
    init.set_signal(Some(signal));
    init
}
