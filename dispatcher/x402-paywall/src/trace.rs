//! The trace of a request, as W3C Trace Context has it: what a caller said of its own, and what we say to whomever we ask.
//!
//! Surprising: of a caller's `traceparent` the trace's id is taken, and its span's id as the parent. Whether it wants to be sampled
//! is not: a caller does not decide what an operator pays for. And no span's id is drawn. Each is made of the request's own id, so
//! that whoever sends a call and whoever tells of it later name the same span.

use crate::{
    UnixMillis,
    fnv::{self, fnv1a},
};
use serde::{Deserialize, Serialize};

/// The header that carries a trace.
pub const TRACEPARENT: &str = "traceparent";
/// The header that carries a request's id.
pub const REQUEST_ID: &str = "x-request-id";
/// A version, a trace's id, a span's id and flags, with hyphens between.
const CHARS: usize = 55;
/// A later version may have more behind it. Nothing of that is read.
const MOST_CHARS: usize = 256;

/// The place of a request in a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// 32 hex digits.
    pub id: String,
    /// 16 hex digits: the request's own span.
    pub span: String,
    /// The caller's span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl Trace {
    /// The trace of a request that came with this `traceparent`, or with none. One that is not valid is none.
    #[must_use]
    pub fn begin(traceparent: Option<&str>, request_id: &str) -> Self {
        let span = digits(hash(&[request_id, "span"]));
        match traceparent.and_then(read) {
            Some((id, parent)) => Self { id, span, parent: Some(parent) },
            None => {
                let id = digits(hash(&[request_id, "trace"])) + &digits(hash(&[request_id, "trace", "low"]));
                Self { id, span, parent: None }
            }
        }
    }

    /// The span of something that the request began at `at`.
    #[must_use]
    pub fn child(&self, name: &str, at: UnixMillis) -> String {
        digits(hash(&[&self.span, name, &at.0.to_string()]))
    }

    /// The header for whomever is asked under this span.
    #[must_use]
    pub fn header(&self, span: &str) -> String {
        format!("00-{}-{span}-01", self.id)
    }
}

/// Reads a caller's header: the ids of its trace and of its span.
fn read(header: &str) -> Option<(String, String)> {
    let (known, rest) = header.split_at_checked(CHARS).filter(|_| header.len() <= MOST_CHARS)?;
    let [version, trace, span, flags] = known.split('-').collect::<Vec<_>>()[..] else { return None };
    let is_hex = |text: &str, chars| {
        text.len() == chars && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_id = |text: &str, chars| is_hex(text, chars) && text.bytes().any(|byte| byte != b'0');
    let fits = is_hex(version, 2) && version != "ff" && is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2);
    let ends = rest.is_empty() || version != "00" && rest.starts_with('-');
    (fits && ends).then(|| (trace.to_owned(), span.to_owned()))
}

fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let hash = fnv1a(fnv::BASIS, bytes);
    // An avalanche: neighbours must not look alike. No id is all zeros.
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (hash ^ hash >> 32).max(1)
}

fn digits(number: u64) -> String {
    format!("{number:016x}")
}

/// The trace and the request that a call comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub traceparent: String,
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_callers_trace_goes_on_and_its_flags_do_not() {
        let trace = Trace::begin(Some(GOOD), "r1");
        assert_eq!(
            (trace.id.as_str(), trace.parent.as_deref()),
            ("4bf92f3577b34da6a3ce929d0e0e4736", Some("00f067aa0ba902b7"))
        );
        assert_eq!(trace, Trace::begin(Some(&GOOD.replace("-01", "-00")), "r1"));
        let call = trace.header(&trace.child("verify primary", UnixMillis(5)));
        assert!(call.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && !call.contains(&trace.span), "{call}");
        assert!(read(&call).is_some());
    }

    #[test]
    fn what_is_no_traceparent_begins_a_trace_of_our_own() {
        let zeros = GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        let cases = [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-x"),
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &zeros,
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace('-', "_"),
            "00-ü",
            &format!("01{}-{}", &GOOD[2..], "x".repeat(400)),
        ];
        for bad in cases {
            let trace = Trace::begin(Some(bad), "r1");
            assert_eq!(trace, Trace::begin(None, "r1"), "{bad}");
            assert!(read(&trace.header(&trace.span)).is_some());
        }
        let later = format!("01{}-more", &GOOD[2..]);
        assert!(read(&later).is_some(), "a later version is read as far as it is known");
        assert_ne!(Trace::begin(None, "r1").id, Trace::begin(None, "r2").id);
    }

    proptest! {
        #[test]
        fn no_header_makes_ids_of_another_shape(header in ".{0,300}") {
            let trace = Trace::begin(Some(&header), "r");
            let is_hex = |text: &str, chars| text.len() == chars && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert!(is_hex(&trace.id, 32) && is_hex(&trace.span, 16));
            prop_assert!(trace.parent.is_none_or(|parent| is_hex(&parent, 16)));
        }
    }
}
