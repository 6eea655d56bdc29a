//! One exchange with a facilitator, and what it said of a failure in its own words.
//!
//! Those words go into the log and nowhere else. They come from outside and may repeat what we sent, so they are cut short,
//! and whatever could be a signature, a token or one of our secrets is taken out.

use super::{AuthHeader, Endpoint, Facilitator};
use crate::facilitator::transport::{FacilitatorAnswer, FacilitatorTransport, HttpRequest, TransportError};
use serde_json::{Value, value::RawValue};
use x402_protocol::json::{self, depth};

/// Longest words that are kept.
const MAX_SAID_CHARS: usize = 120;
/// A row of so many letters and digits is no word.
const SECRET_CHARS: usize = 20;
/// Longest answer, and deepest, in which words are looked for.
const MAX_SPOKEN_BYTES: usize = 16 * 1024;
const MAX_SPOKEN_DEPTH: usize = 16;
/// Members in which facilitators say what is wrong, the most telling first.
const WORDS: [&str; 8] =
    ["errorMessage", "invalidMessage", "error", "message", "detail", "errorType", "invalidReason", "errorReason"];

/// The answer that came back.
pub(crate) struct Heard {
    pub answer: Result<FacilitatorAnswer, TransportError>,
    /// Its own words, if it did not simply say yes.
    pub said: Option<String>,
}

/// Sends one request. A redirect is an error, and its target's host is what was said.
pub(crate) async fn send(
    transport: &impl FacilitatorTransport,
    facilitator: &Facilitator,
    endpoint: Endpoint,
    json: Option<&RawValue>,
    timeout_ms: u64,
) -> Heard {
    let (url, headers) = (facilitator.url_of(endpoint), facilitator.headers_of(endpoint));
    let answer = transport
        .send(HttpRequest { url: &url, headers, json: json.map(RawValue::get), timeout_ms, origin: None })
        .await;
    match answer {
        Ok(answer) if (300..400).contains(&answer.status) => {
            let target = host_of(std::str::from_utf8(&answer.body).unwrap_or_default());
            Heard { answer: Err(TransportError::Redirect), said: target.map(|host| format!("to {host}")) }
        }
        Ok(answer) => Heard { said: words(&answer, headers), answer: Ok(answer) },
        Err(error) => Heard { answer: Err(error), said: None },
    }
}

/// The host of a redirect's target. `None`: the target names none, or what stands there is no host.
fn host_of(location: &str) -> Option<String> {
    let (_, rest) = location.split_once("//")?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    ((1..=MAX_SAID_CHARS).contains(&host.len()) && host.bytes().all(fits)).then(|| host.to_ascii_lowercase())
}

fn words(answer: &FacilitatorAnswer, headers: &[AuthHeader]) -> Option<String> {
    let is_yes = (200..300).contains(&answer.status) && answer.body.windows(4).any(|four| four == b"true");
    if is_yes || answer.body.len() > MAX_SPOKEN_BYTES || depth(&answer.body) > MAX_SPOKEN_DEPTH {
        return None;
    }
    let text = std::str::from_utf8(&answer.body).ok()?.trim();
    let spoken = match json::read::<Value>(text) {
        Ok(body) => spoken_in(&body)?,
        // A page of HTML says less than its status.
        Err(_) if text.starts_with('<') => return None,
        Err(_) => text.to_owned(),
    };
    let spoken = headers.iter().fold(spoken, |spoken, header| header.taken_out_of(&spoken));
    Some(redacted(&spoken)).filter(|said| !said.is_empty())
}

/// The first member that says something, at the top or one level below `error`.
fn spoken_in(body: &Value) -> Option<String> {
    if let Value::String(text) = body {
        return Some(text.clone());
    }
    let inner = body.get("error").filter(|error| error.is_object());
    let said = |value: &Value| WORDS.iter().find_map(|name| Some(value.get(name)?.as_str()?.to_owned()));
    inner.and_then(said).or_else(|| said(body))
}

/// Printable ASCII, without rows of letters and digits that are no words, cut short.
fn redacted(text: &str) -> String {
    let mut clean = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let letters = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let end = word[letters.len()..].chars().map(|c| if (' '..='~').contains(&c) { c } else { ' ' });
        clean.push_str(if letters.len() >= SECRET_CHARS { "..." } else { letters });
        clean.extend(end);
    }
    clean.chars().take(MAX_SAID_CHARS).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(status: u16, body: &str) -> Option<String> {
        words(&FacilitatorAnswer { status, body: body.as_bytes().to_vec() }, &[])
    }

    #[test]
    fn the_most_telling_member_is_kept() {
        for (body, wanted) in [
            (r#"{"errorMessage":"extensions: not allowed","errorType":"invalid_request"}"#, "extensions: not allowed"),
            (r#"{"errorType":"invalid_request"}"#, "invalid_request"),
            (r#"{"error":{"message":"no key"}}"#, "no key"),
            (r#"{"isValid":false,"invalidReason":"Something went wrong"}"#, "Something went wrong"),
            ("Unauthorized", "Unauthorized"),
            ("\"text\"", "text"),
        ] {
            assert_eq!(said(400, body).as_deref(), Some(wanted), "{body}");
        }
        for nothing in ["", "<html>Bad gateway</html>", "{}", r#"{"error":5}"#, r#"{"isValid":true}"#] {
            assert_eq!(said(200, nothing), None, "{nothing}");
        }
    }

    #[test]
    fn what_we_sent_does_not_come_back_into_the_log() {
        let header = AuthHeader::fixed("authorization", "Bearer hunter2");
        let answer =
            |text: &str| FacilitatorAnswer { status: 401, body: format!(r#"{{"error":"{text}"}}"#).into_bytes() };
        let told = words(&answer("bad token hunter2 for Bearer hunter2"), std::slice::from_ref(&header)).unwrap();
        assert!(!told.contains("hunter2"), "{told}");
        let signature = format!("0x{}", "ab".repeat(65));
        assert_eq!(
            said(400, &format!(r#"{{"error":"signature {signature} is bad"}}"#)).unwrap(),
            "signature ... is bad"
        );
        assert_eq!(said(400, "line\\none\u{1b}[31m").unwrap(), "line\\none [31m");
    }

    #[test]
    fn a_redirect_is_told_by_its_targets_host() {
        for (location, host) in [
            ("https://www.x402.org/facilitator/verify?key=1", Some("www.x402.org")),
            ("//Other.example:8443#a", Some("other.example:8443")),
            ("https://user:pass@evil.example/", Some("evil.example")),
            ("/elsewhere", None),
            ("https://", None),
            ("https://a b/", None),
        ] {
            assert_eq!(host_of(location).as_deref(), host, "{location}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_short_and_printable(text in "\\PC{0,400}") {
            let told = redacted(&text);
            prop_assert!(told.len() <= MAX_SAID_CHARS && told.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert!(told.split(|c: char| !c.is_ascii_alphanumeric()).all(|word| word.len() < SECRET_CHARS));
        }
    }
}
