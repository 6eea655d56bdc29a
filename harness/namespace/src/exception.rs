//! What a dispatch can be thrown instead of an answer, and how it travels to the dispatcher: as status 599 with a header
//! that no tenant can send and that has it in short, and as JSON for somebody with curl. The platform's messages stand word for word, because a dispatcher tells them apart by these.

use super::{
    cut_off::Cut,
    headers::EXCEPTION,
    stream::{Body, full},
};
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The message of an error that the platform throws in the tenant.
pub const TOO_MANY_SUBREQUESTS: &str = "Too many subrequests by single Worker invocation. To configure this limit, refer \
    to https://developers.cloudflare.com/workers/wrangler/configuration/#limits";
pub const NOT_FOUND: &str = "Worker not found.";
pub const EXCEEDED_CPU: &str = "Worker exceeded CPU time limit.";
pub const EXCEEDED_MEMORY: &str = "Worker exceeded memory limit.";

/// The characters of a message that fit beside other headers: why a script does not start can take pages.
const MAX_HEADER_CHARS: usize = 4096;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    pub name: String,
    pub message: String,
    /// Whether it came from where the tenant runs, as opposed to from this stand-in.
    #[serde(default)]
    pub remote: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// CPU time at the cut-off, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// Memory at the cut-off, in megabytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<f64>,
}

impl Exception {
    pub fn not_found() -> Exception {
        Exception::remote(NOT_FOUND)
    }

    pub fn cut_off(cut: Cut) -> Exception {
        match cut {
            Cut::Cpu(used) => Exception { cpu_ms: Some(used.as_secs_f64() * 1e3), ..Exception::remote(EXCEEDED_CPU) },
            Cut::Memory(held) => Exception { memory_mb: Some(held.mb()), ..Exception::remote(EXCEEDED_MEMORY) },
        }
    }

    /// An error that the platform would not have thrown: something that this stand-in cannot do, or that went wrong in
    /// it.
    pub fn local(what: impl std::fmt::Display) -> Exception {
        Exception { remote: false, ..Exception::remote(&format!("local dispatch namespace: {what}")) }
    }

    fn remote(message: &str) -> Exception {
        let (name, message) = ("Error".to_owned(), message.to_owned());
        Exception { name, message, remote: true, stack: None, cpu_ms: None, memory_mb: None }
    }

    pub fn into_response(self) -> Response<Body> {
        let json = serde_json::to_vec(&self).expect("strings and numbers are JSON");
        let mut response = Response::new(full(json));
        // The last status there is, so that somebody with curl does not take it for the tenant's answer.
        *response.status_mut() = StatusCode::from_u16(599).expect("599 is a status");
        response.headers_mut().insert(EXCEPTION, self.in_a_header());
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }

    fn in_a_header(&self) -> HeaderValue {
        let message: String = self.message.chars().take(MAX_HEADER_CHARS).collect();
        let json = json!({ "name": self.name, "message": message, "remote": self.remote }).to_string();
        HeaderValue::from_str(&ascii(&json)).expect("printable ASCII is a header value")
    }
}

/// JSON says the same without any other character.
fn ascii(json: &str) -> String {
    let escaped = json.encode_utf16().map(|unit| match u8::try_from(unit) {
        Ok(byte @ b' '..=b'~') => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_what_is_thrown_whatever_it_is() {
        let message = format!("g\u{fc}nstig \u{1f600}\n\u{7f}{}", "m".repeat(MAX_HEADER_CHARS));
        let response = Exception::local(&message).into_response();
        let told: Exception = serde_json::from_slice(response.headers()[EXCEPTION].as_bytes()).unwrap();
        assert!(told.message.starts_with("local dispatch namespace: g\u{fc}nstig \u{1f600}\n\u{7f}mm"), "{told:?}");
        assert_eq!(told.message.chars().count(), MAX_HEADER_CHARS);
    }
}
