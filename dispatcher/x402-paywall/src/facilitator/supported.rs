//! What a facilitator says it can serve. Read leniently: v1 answers have nothing but kinds, and a kind that we do not
//! understand is no reason to disbelieve the others.

use crate::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use x402_protocol::{Network, Version, json};

/// How long an answer counts. What a facilitator supports changes with its releases, not by the minute.
pub const SUPPORTED_TTL_MS: u64 = 600_000;
/// Pause after an answer that was none; the last good one is kept meanwhile.
pub const SUPPORTED_RETRY_MS: u64 = 60_000;
/// Kinds that are kept. Real answers have a few dozen.
const MAX_KINDS: usize = 256;
/// Longest scheme or network that is kept.
const MAX_NAME_CHARS: usize = 64;

/// A facilitator's last good answer to `/supported`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supported {
    pub kinds: Vec<Kind>,
    pub at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    pub x402_version: u64,
    pub scheme: String,
    pub network: String,
}

impl Supported {
    /// `None` where the body has no list of kinds.
    #[must_use]
    pub fn parse(body: &[u8], at: UnixMillis) -> Option<Self> {
        let body: Value = json::read(std::str::from_utf8(body).ok()?).ok()?;
        let named = |text: &str| (1..=MAX_NAME_CHARS).contains(&text.len());
        let kind = |value: &Value| {
            let text = |key| value.get(key)?.as_str().filter(|text| named(text)).map(str::to_owned);
            Some(Kind {
                x402_version: value.get("x402Version")?.as_u64()?,
                scheme: text("scheme")?,
                network: text("network")?,
            })
        };
        let kinds = body.get("kinds")?.as_array()?.iter().filter_map(kind).take(MAX_KINDS).collect();
        Some(Self { kinds, at })
    }

    /// `eip155:*` stands for every EVM chain.
    #[must_use]
    pub fn serves(&self, version: Version, scheme: &str, network: Network) -> bool {
        self.kinds.iter().any(|kind| {
            kind.x402_version == version.number()
                && kind.scheme == scheme
                && (network.is_named(&kind.network) || kind.network == "eip155:*")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Option<Supported> {
        Supported::parse(body.as_bytes(), UnixMillis(1))
    }

    #[test]
    fn what_is_listed_is_served_in_either_generations_words() {
        let supported = parse(
            r#"{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:84532"},
                {"x402Version":1,"scheme":"exact","network":"base","extra":{"a":1}}, "nonsense", {"scheme":"exact"}]}"#,
        );
        let supported = supported.unwrap();
        assert!(supported.serves(Version::V2, "exact", Network::BaseSepolia));
        assert!(supported.serves(Version::V1, "exact", Network::Base));
        assert!(!supported.serves(Version::V2, "exact", Network::Base));
        assert!(!supported.serves(Version::V1, "exact", Network::BaseSepolia));
        assert!(!supported.serves(Version::V2, "upto", Network::BaseSepolia));
        let every = parse(r#"{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:*"}]}"#).unwrap();
        assert!(every.serves(Version::V2, "exact", Network::Base));
    }

    #[test]
    fn what_is_no_list_of_kinds_says_nothing() {
        for body in ["", "<html>", "[]", "{}", r#"{"kinds":{}}"#] {
            assert_eq!(parse(body), None, "{body}");
        }
        assert!(parse(r#"{"kinds":[]}"#).is_some_and(|none| none.kinds.is_empty()));
    }
}
