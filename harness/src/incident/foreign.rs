//! Forms of a log that are not read here, told by their names: "nothing was found" would send its reader to look in the log.

use serde_json::Value;

/// A form and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    pub what: &'static str,
    pub mend: &'static str,
}

/// The bytes that compressed files begin with.
const PACKED: [(&[u8], Foreign); 5] = [
    (&[0x1f, 0x8b], Foreign { what: "gzip", mend: "unpack it first: `gunzip -k FILE`" }),
    (b"PK\x03\x04", Foreign { what: "a zip file", mend: "unpack it first: `unzip FILE`" }),
    (&[0x28, 0xb5, 0x2f, 0xfd], Foreign { what: "zstd", mend: "unpack it first: `zstd -d FILE`" }),
    (&[0xfd, b'7', b'z', b'X', b'Z'], Foreign { what: "xz", mend: "unpack it first: `unxz -k FILE`" }),
    (b"BZh", Foreign { what: "bzip2", mend: "unpack it first: `bunzip2 -k FILE`" }),
];

const UTF_16: Foreign =
    Foreign { what: "UTF-16, and not UTF-8", mend: "convert it first: `iconv -f UTF-16 -t UTF-8 FILE`" };
const EMPTY: Foreign = Foreign { what: "empty", mend: "look at what wrote it" };
const PRETTY: Foreign = Foreign {
    what: "what `wrangler tail` prints for people, which has no times that are exact enough",
    mend: "take the log with `wrangler tail --format json`",
};
const API: Foreign = Foreign {
    what: "an answer of Cloudflare's API, and the dispatcher's lines are not where an export has them",
    mend: "take the list of events out of it, such as by `jq -c '.result.events.events[]'`",
};
const NO_JSON: Foreign = Foreign {
    what: "no JSON in any line",
    mend: "what is read is JSON: `wrangler tail --format json`, or an export of Workers Logs",
};

impl Foreign {
    /// A form that text can have no share in.
    pub fn by_its_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(EMPTY);
        }
        let packed = PACKED.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, form)| *form);
        packed.or_else(|| is_utf_16(bytes).then_some(UTF_16))
    }

    /// A form that explains why nothing was found in it.
    pub fn by_its_text(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(EMPTY);
        }
        if serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("result").is_some()) {
            return Some(API);
        }
        if text.lines().any(is_tailed) {
            return Some(PRETTY);
        }
        (!text.lines().any(|line| line.trim_start().starts_with(['{', '[']))).then_some(NO_JSON)
    }
}

/// Recognises the mark, or text in which every other byte is zero.
fn is_utf_16(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64)];
    let zeros = |first: usize| start.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count() * 2;
    start.starts_with(&[0xff, 0xfe])
        || start.starts_with(&[0xfe, 0xff])
        || (start.len() >= 4 && (zeros(0) >= start.len() - 2 || zeros(1) >= start.len() - 2))
}

/// Recognises `GET https://host/path - Ok @ 28/11/2026, 16:00:00` and its like.
fn is_tailed(line: &str) -> bool {
    let is_method = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let begins = line.split_once(' ').is_some_and(|(method, rest)| is_method(method) && rest.starts_with("http"));
    begins && line.contains(" - ") && line.contains(" @ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8]) -> &'static str {
        let form = Foreign::by_its_bytes(bytes).or_else(|| Foreign::by_its_text(&String::from_utf8_lossy(bytes)));
        form.map_or("", |form| form.what)
    }

    #[test]
    fn a_log_of_another_form_is_called_by_its_name() {
        let utf_16: Vec<u8> = "{\"log\":\"request\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &utf_16].concat();
        let other_way: Vec<u8> = "{\"log\":\"request\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for text in [&utf_16[..], &marked, &other_way] {
            assert_eq!(what(text), UTF_16.what);
        }
        assert_eq!(what(&[0x1f, 0x8b, 8, 0]), "gzip");
        assert_eq!(what(b"PK\x03\x04rest"), "a zip file");
        assert_eq!(what(b""), "empty");
        assert_eq!(what(b" \n\n"), "empty");
        assert_eq!(what(b"GET https://a.example/ - Ok @ 28/11/2026, 16:00:00\n  (log) x\n"), PRETTY.what);
        assert_eq!(what(br#"{"success":true,"result":{"events":{"events":[]}}}"#), API.what);
        assert_eq!(what(b"nothing of interest\n"), NO_JSON.what);
        assert_eq!(what(b"{\"other\":1}\n"), "", "JSON, and nobody's that is known");
    }
}
