//! Turns the core's answers into web responses. The runtime's own, to the end: on its way out workers-rs makes another of
//! each of its own, with the body as a stream.

use crate::ports::{inbound::WebRequest, outbound::WebResponse, randomness::WebCrypto};
use dispatcher_core::{
    answer::{Answer, Body},
    hygiene::REQUEST_ID,
    ports::{Inbound, Randomness},
    refusal::Refusal,
};
use js_sys::{Object, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{Headers, Response, ResponseInit};
use worker::Result;

pub fn to_response(request: &WebRequest, answer: Answer<WebResponse>) -> Result<Response> {
    match answer.body {
        Body::Tenant(passed) => pass_through(passed.into_inner(), &answer.strip, &answer.set),
        Body::Bytes(bytes) => {
            let headers = Headers::new()?;
            for (name, value) in &answer.set {
                headers.append(name, value)?;
            }
            let init = ResponseInit::new();
            init.set_status(answer.status);
            init.set_headers(&headers);
            // These have no body by definition, and the platform throws if one is given.
            let bare = request.method() == "HEAD" || matches!(answer.status, 204 | 205 | 304);
            let body: Option<Object> = if bare { None } else { Some(Uint8Array::from(bytes.as_slice()).into()) };
            Ok(Response::new_with_opt_buffer_source_and_init(body.as_ref(), &init)?)
        }
    }
}

/// An error from before or beside the dispatcher.
pub fn ours(request: &WebRequest, refusal: &Refusal) -> Result<Response> {
    let request_id = WebCrypto.request_id();
    let answer = Answer::refusal(refusal, &request_id).with(REQUEST_ID, &request_id);
    to_response(request, answer)
}

/// The body stays a stream that we never look into.
fn pass_through(tenant: WebResponse, strip: &[String], set: &[(String, String)]) -> Result<Response> {
    let original = tenant.into_inner();
    let init: &ResponseInit = original.unchecked_ref();
    // A tenant's response has immutable headers: copy it, as `new Response(response.body, response)` does.
    let copy = Response::new_with_opt_readable_stream_and_init(original.body().as_ref(), init)?;
    let headers = copy.headers();
    for name in strip.iter().chain(set.iter().map(|(name, _)| name)) {
        headers.delete(name)?;
    }
    // Some names repeat: there may be several cookies.
    for (name, value) in set {
        headers.append(name, value)?;
    }
    Ok(copy)
}
