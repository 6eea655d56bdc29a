//! What a facilitator says it can serve. Read leniently: v1 answers have nothing but kinds, and a kind that we do not
//! understand is no reason to disbelieve the others.

use crate::{UnixMillis, claim::Claim};
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
    /// `None` where the body has no list of kinds, or one in which nothing can be read: that says nothing.
    #[must_use]
    pub fn parse(body: &[u8], at: UnixMillis) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let body: Value = json::read(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
        let listed = body.get("kinds").unwrap_or(&body).as_array()?;
        let kinds: Vec<_> = listed.iter().filter_map(Kind::read).take(MAX_KINDS).collect();
        let is_empty = listed.is_empty() && body.is_object();
        (is_empty || !kinds.is_empty()).then_some(Self { kinds, at })
    }

    /// `eip155:*` stands for every EVM chain.
    #[must_use]
    pub fn serves(&self, version: Version, scheme: &str, network: Network) -> bool {
        self.kinds.iter().any(|kind| {
            (kind.x402_version == ANY_VERSION || kind.x402_version == version.number())
                && kind.scheme == scheme
                && (network.is_named(&kind.network) || kind.network == "eip155:*")
        })
    }
}

/// Stands for a kind that does not say for which generation it is.
const ANY_VERSION: u64 = 0;

impl Kind {
    /// `None`: it names no network.
    fn read(value: &Value) -> Option<Self> {
        let text = |key| match value.get(key)? {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let named = |key| text(key).filter(|text| (1..=MAX_NAME_CHARS).contains(&text.len()));
        let version = text("x402Version").map(|text| text.trim_start_matches(['v', 'V']).parse());
        Some(Self {
            // A generation that we do not know is none of ours, and one that is not said may be any.
            x402_version: version.map_or(ANY_VERSION, |version| version.unwrap_or(u64::MAX)),
            scheme: named("scheme").unwrap_or_else(|| Claim::SCHEME.name().to_owned()).to_ascii_lowercase(),
            network: named("network")?,
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
    fn a_kind_counts_however_it_is_spelt() {
        for kind in [
            r#"{"x402Version":"2","scheme":"exact","network":"eip155:84532"}"#,
            r#"{"x402Version":2,"scheme":"Exact","network":"Base-Sepolia"}"#,
            r#"{"x402Version":null,"scheme":"exact","network":"eip155:84532"}"#,
            r#"{"scheme":"exact","network":84532}"#,
            r#"{"x402Version":"v2","network":"base-sepolia"}"#,
        ] {
            for body in
                [format!(r#"{{"kinds":[{kind}]}}"#), format!("[{kind}]"), format!("\u{feff}{{\"kinds\":[{kind}]}}")]
            {
                let serves = |network| parse(&body).is_some_and(|all| all.serves(Version::V2, "exact", network));
                assert!(serves(Network::BaseSepolia) && !serves(Network::Base), "{body}");
            }
        }
    }

    #[test]
    fn what_is_no_list_of_kinds_says_nothing() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"kinds":{}}"#,
            r#"{"kinds":["exact"]}"#,
            r#"{"kinds":[{"scheme":"exact"}]}"#,
            "[1]",
        ] {
            assert_eq!(parse(body), None, "{body}");
        }
        assert!(parse(r#"{"kinds":[]}"#).is_some_and(|none| none.kinds.is_empty()));
    }
}
