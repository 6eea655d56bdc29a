//! The ordered list of facilitators. The first is the primary; the rest are fallbacks in order.

use serde::Deserialize;

/// A verify that takes longer is not worth waiting for while another facilitator could answer.
const DEFAULT_VERIFY_TIMEOUT_MS: u64 = 5_000;
/// Settling waits for a block: Base makes one every 2 s, and facilitators wait for one or two.
const DEFAULT_SETTLE_TIMEOUT_MS: u64 = 20_000;
/// Longest time-out that can be set: the caller's own client gives up about then.
pub const MAX_TIMEOUT_MS: u64 = 90_000;
/// More than this is a mistake in the configuration, and would make the worst case of a verify minutes long.
const MAX_FACILITATORS: usize = 8;

/// One facilitator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facilitator {
    /// Names it in logs and in the ledger, where it must keep its meaning: an unknown settlement is asked about here.
    pub id: String,
    /// Without a trailing slash.
    pub url: String,
    pub verify_timeout_ms: u64,
    pub settle_timeout_ms: u64,
}

/// At least none, at most [`MAX_FACILITATORS`], ids unique. Small enough that a scan is the fastest look-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facilitators(Vec<Facilitator>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("facilitators are not the JSON that is wanted: {0}")]
    Json(String),
    #[error("facilitators: {0} are listed, at most {MAX_FACILITATORS} are taken")]
    TooMany(usize),
    #[error("facilitators[{index}].{field}: {why}")]
    Field { index: usize, field: &'static str, why: String },
}

impl Facilitators {
    /// Parses `[{"id", "url", "verifyTimeoutMs"?, "settleTimeoutMs"?}]`, primary first.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let wire: Vec<Wire> = serde_json::from_str(json).map_err(|error| ConfigError::Json(error.to_string()))?;
        if wire.len() > MAX_FACILITATORS {
            return Err(ConfigError::TooMany(wire.len()));
        }
        let mut list: Vec<Facilitator> = Vec::new();
        for (index, wire) in wire.into_iter().enumerate() {
            let field = |field, why: &str| ConfigError::Field { index, field, why: why.to_owned() };
            if wire.id.is_empty() || list.iter().any(|other| other.id == wire.id) {
                return Err(field("id", "is empty or was used before"));
            }
            let url = wire.url.trim_end_matches('/').to_owned();
            if !(url.starts_with("https://")
                || url.starts_with("http://127.0.0.1:")
                || url.starts_with("http://localhost:"))
            {
                return Err(field("url", "must be https (http is for loopback only)"));
            }
            let timeout = |name, given: Option<u64>, default| match given.unwrap_or(default) {
                0 => Err(field(name, "is 0")),
                ms if ms > MAX_TIMEOUT_MS => Err(field(name, "is over 90000")),
                ms => Ok(ms),
            };
            let verify_timeout_ms = timeout("verifyTimeoutMs", wire.verify_timeout_ms, DEFAULT_VERIFY_TIMEOUT_MS)?;
            let settle_timeout_ms = timeout("settleTimeoutMs", wire.settle_timeout_ms, DEFAULT_SETTLE_TIMEOUT_MS)?;
            list.push(Facilitator { id: wire.id, url, verify_timeout_ms, settle_timeout_ms });
        }
        Ok(Self(list))
    }

    /// In the order in which they are tried where nothing else is said.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|facilitator| facilitator.id.clone()).collect()
    }

    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Facilitator> {
        self.0.iter().find(|facilitator| facilitator.id == id)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    id: String,
    url: String,
    verify_timeout_ms: Option<u64>,
    settle_timeout_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_key_that_is_wrong() {
        let error = |json| Facilitators::from_json(json).unwrap_err().to_string();
        assert!(error(r#"[{"id":"a","url":"http://evil.example"}]"#).contains("facilitators[0].url"));
        assert!(error(r#"[{"id":"a","url":"https://a"},{"id":"a","url":"https://b"}]"#).contains("facilitators[1].id"));
        assert!(error(r#"[{"id":"a","url":"https://a","settleTimeoutMs":0}]"#).contains("[0].settleTimeoutMs"));
        assert!(error(r#"[{"id":"a","url":"https://a","timeout":1}]"#).contains("unknown field `timeout`"));
    }
}
