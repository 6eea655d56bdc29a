//! Forms that are no log of the dispatcher's, told by their names, with what to do about each.

use serde_json::Value;

/// A form and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    pub what: &'static str,
    pub mend: &'static str,
}

const fn form(what: &'static str, mend: &'static str) -> Foreign {
    Foreign { what, mend }
}

/// The bytes that files of other forms begin with.
const MAGIC: [(&[u8], Foreign); 9] = [
    (b"PK\x03\x04", form("a zip file", "unpack it first: `unzip FILE`")),
    (&[0xfd, b'7', b'z', b'X', b'Z'], form("xz", "unpack it first: `unxz -k FILE`")),
    (b"BZh", form("bzip2", "unpack it first: `bunzip2 -k FILE`")),
    (b"\x7fELF", form("a program", "give it the log, and not what wrote it")),
    (b"%PDF", form("a PDF", "export the log as JSON, and not as a document")),
    (b"\x89PNG", form("a picture", "export the log as JSON: nothing can be read off a screenshot")),
    (&[0xff, 0xd8, 0xff], form("a picture", "export the log as JSON: nothing can be read off a screenshot")),
    (b"SQLite format 3", form("a database", "give it the dispatcher's log, and not its storage")),
    (b"PAR1", form("Parquet", "have Logpush write JSON, or convert it to JSON lines")),
];

const EMPTY: Foreign = form("empty", "look at what wrote it");
const BINARY: Foreign =
    form("no text", "what is read is JSON: `wrangler tail --format json`, or an export of Workers Logs");
const HTML: Foreign =
    form("a web page", "export the events as JSON, or take the log with `wrangler tail --format json`");
const CSV: Foreign =
    form("a table of comma-separated values", "export it as JSON: a table has lost the dispatcher's lines");
const FAILED: Foreign =
    form("an error of Cloudflare's API", "look at its `errors`: the token may lack the right to read Workers Logs");
const NO_JSON: Foreign =
    form("no JSON in any line", "what is read is JSON: `wrangler tail --format json`, or an export of Workers Logs");
const OTHERS: Foreign = form(
    "JSON without a line of the dispatcher's",
    "its lines are JSON objects that begin with {\"log\":\"request\"}; was it another Worker that was tailed?",
);

impl Foreign {
    /// A form that text can have no share in.
    pub fn by_its_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(EMPTY);
        }
        let known = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, form)| *form);
        let start = &bytes[..bytes.len().min(512)];
        // UTF-16 has a zero in every other place, and nothing else that is a log has any.
        let zeros = start.iter().filter(|byte| **byte == 0).count();
        let is_binary = zeros > 0 && zeros * 5 < start.len() * 2;
        known.or_else(|| is_binary.then_some(BINARY))
    }

    /// A form that explains why nothing was found in it.
    pub fn by_its_text(text: &str) -> Self {
        let start = text.trim_start();
        if start.is_empty() {
            return EMPTY;
        }
        let head = start.get(..start.len().min(200)).unwrap_or_default().to_ascii_lowercase();
        if head.starts_with("<!doctype") || head.starts_with("<html") {
            return HTML;
        }
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            return if value["success"] == false { FAILED } else { OTHERS };
        }
        if text.lines().any(|line| line.trim_start().starts_with(['{', '['])) {
            return OTHERS;
        }
        let commas = |line: &str| line.matches(',').count();
        let mut lines = text.lines().filter(|line| !line.is_empty());
        match (lines.next(), lines.next()) {
            (Some(first), Some(second)) if commas(first) >= 3 && commas(first) == commas(second) => CSV,
            _ => NO_JSON,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_another_form_is_called_by_its_name() {
        let bytes = |bytes: &[u8]| Foreign::by_its_bytes(bytes).map(|form| form.what);
        assert_eq!(bytes(b"PK\x03\x04rest"), Some("a zip file"));
        assert_eq!(bytes(b"\x00\x01\x02abcdefghijklmno"), Some(BINARY.what));
        let utf_16: Vec<u8> = "{\"log\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!((bytes(&utf_16), bytes(b"{}")), (None, None));
        let text = |text: &str| Foreign::by_its_text(text).what;
        assert_eq!(text(" \n\n"), EMPTY.what);
        assert_eq!(text("<!DOCTYPE html><html>"), HTML.what);
        assert_eq!(text(r#"{"success":false,"errors":[{"code":10000}]}"#), FAILED.what);
        assert_eq!(text("time,level,message,id\n1,info,x,2\n"), CSV.what);
        assert_eq!(text("nothing of interest\n"), NO_JSON.what);
        assert_eq!(text("{\"other\":1}\n"), OTHERS.what);
    }
}
