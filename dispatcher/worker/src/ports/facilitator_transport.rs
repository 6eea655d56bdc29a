//! Sends requests to facilitators: bounded in time and size, redirects not followed.

use super::{clock::WallClock, credential_signer::SubtleSigner};
use crate::{glue, prompt};
use dispatcher_core::paywall::{
    ports::{
        Clock, FacilitatorAnswer, FacilitatorTransport, HttpRequest, MAX_FACILITATOR_ANSWER_BYTES, TransportError,
    },
    trace::{REQUEST_ID, TRACEPARENT},
};
use js_sys::Uint8Array;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use wasm_bindgen::JsCast;

#[derive(Clone, Copy)]
pub struct FetchTransport;

impl FacilitatorTransport for FetchTransport {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let init = init(&request, headers(&request).await?);
        let timeout = u32::try_from(request.timeout_ms).unwrap_or(u32::MAX);
        let came = prompt::until(|ticket, settled| {
            let most = MAX_FACILITATOR_ANSWER_BYTES;
            glue::exchange(request.url, &init, request.json, timeout, most, ticket, settled);
            Ok(())
        });
        match came.await {
            Ok(came) => {
                let body = came.value.dyn_into::<Uint8Array>().map_err(|_| TransportError::Unreachable)?.to_vec();
                Ok(FacilitatorAnswer { status: u16::try_from(came.word).unwrap_or(0), body })
            }
            Err(why) => Err(match why.as_string().as_deref() {
                Some("timeout") => TransportError::Timeout,
                Some("too large") => TransportError::TooLarge,
                _ => TransportError::Unreachable,
            }),
        }
    }
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
    if let Some(origin) = request.origin {
        headers.insert(TRACEPARENT, Cow::Borrowed(origin.traceparent.as_str()));
        if let Some(id) = &origin.request_id {
            headers.insert(REQUEST_ID, Cow::Borrowed(id.as_str()));
        }
    }
    // Configured ones last: they win.
    for header in request.headers {
        let value = header.value(request, WallClock.now(), &SubtleSigner).await;
        headers.insert(header.name.as_str(), value.map_err(|_| TransportError::Unsigned)?);
    }
    Ok(headers)
}

/// The second argument of `fetch` but for the body, as JSON.
fn init(request: &HttpRequest<'_>, headers: Headers<'_>) -> String {
    let method = if request.json.is_some() { "POST" } else { "GET" };
    let init = Init { method, redirect: "manual", headers };
    serde_json::to_string(&init).expect("its keys are strings and its values plain")
}
