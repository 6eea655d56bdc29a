//! Turns the core's answers into web responses. The runtime's own, to the end: on its way out workers-rs makes another of
//! each of its own, with the body as a stream.

use crate::{
    glue,
    ports::{inbound::WebRequest, outbound::WebResponse, randomness::WebCrypto},
};
use dispatcher_core::{
    answer::{Answer, Body},
    hygiene::REQUEST_ID,
    ports::{Inbound, Randomness},
    refusal::Refusal,
};
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use web_sys::{Response, ResponseInit, console};
use worker::{Error, Result};

/// The longest body that crosses as a text along with its headers. A longer one costs more to write down twice than the
/// crossing that it saves.
const MAX_TEXT_BYTES: usize = 16 * 1024;

pub fn to_response(request: &WebRequest, answer: Answer<WebResponse>) -> Result<Response> {
    match answer.body {
        Body::Tenant(passed) => pass_through(passed.into_inner(), &answer.strip, &answer.set),
        Body::Bytes(bytes) => {
            // These have no body by definition, and the platform throws if one is given.
            let bare = request.method() == "HEAD" || matches!(answer.status, 204 | 205 | 304);
            respond(answer.status, &answer.set, &bytes, bare)
        }
    }
}

fn respond(status: u16, set: &[(String, String)], body: &[u8], bare: bool) -> Result<Response> {
    let mut text = glue::lines(set.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]))?;
    // A text whose type nobody says would be given one by the platform.
    let is_typed = set.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    match std::str::from_utf8(body) {
        Ok(body) if is_typed && body.len() <= MAX_TEXT_BYTES => {
            let border = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
            text.push_str(body);
            Ok(glue::respond(status, &text, border, bare)?)
        }
        _ => {
            let body = if bare { None } else { Some(Uint8Array::from(body)) };
            Ok(glue::respond_bytes(status, &text, body)?)
        }
    }
}

/// For what cannot be answered: it is ours to mend, and the caller is told nothing of it.
pub fn failed(error: &Error) -> Response {
    console::error_1(&error.to_string().into());
    respond(500, &[("content-type".to_owned(), "text/plain".to_owned())], b"INTERNAL SERVER ERROR", false)
        .expect("a plain text can be answered")
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
