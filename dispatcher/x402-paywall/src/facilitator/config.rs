//! The ordered list of facilitators. The first is the primary; the rest are fallbacks in order.

use super::{
    auth::{self, AuthHeader, Endpoint},
    time_out::VERIFY_BUDGET_MS,
};
use crate::{facilitator::credentials::Secrets, telemetry::Call};
use serde::Deserialize;
use x402_protocol::json;

/// A verify that takes longer is not worth waiting for while another facilitator could answer.
const DEFAULT_VERIFY_TIMEOUT_MS: u64 = 5_000;
/// Settling waits for a block: Base makes one every 2 s, and facilitators wait for one or two.
const DEFAULT_SETTLE_TIMEOUT_MS: u64 = 20_000;
/// Longest time-out that can be set: the caller's own client gives up about then.
pub const MAX_TIMEOUT_MS: u64 = 90_000;
/// More than this is a mistake in the configuration, and would make the worst case of a verify minutes long.
const MAX_FACILITATORS: usize = 8;
/// A key, its version and a signature or two; more is a mistake.
const MAX_HEADERS: usize = 8;

/// One facilitator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facilitator {
    /// Names it in logs and in the ledger, where it must keep its meaning: an unknown settlement is asked about here.
    pub id: String,
    /// Without a trailing slash.
    pub url: String,
    /// At most the budget of a whole verify.
    pub verify_timeout_ms: u64,
    pub settle_timeout_ms: u64,
    auth: Auth,
}

/// Headers by endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Auth {
    verify: Vec<AuthHeader>,
    settle: Vec<AuthHeader>,
    supported: Vec<AuthHeader>,
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

impl Facilitator {
    #[must_use]
    pub fn url_of(&self, endpoint: Endpoint) -> String {
        let path = match endpoint {
            Endpoint::Verify => "verify",
            Endpoint::Settle => "settle",
            Endpoint::Supported => "supported",
        };
        format!("{}/{path}", self.url)
    }

    #[must_use]
    pub fn headers_of(&self, endpoint: Endpoint) -> &[AuthHeader] {
        match endpoint {
            Endpoint::Verify => &self.auth.verify,
            Endpoint::Settle => &self.auth.settle,
            Endpoint::Supported => &self.auth.supported,
        }
    }

    /// The time that this kind of call may take.
    #[must_use]
    pub fn timeout_ms(&self, call: Call) -> u64 {
        match call {
            Call::Verify => self.verify_timeout_ms,
            Call::Settle => self.settle_timeout_ms,
        }
    }
}

impl Auth {
    fn of_mut(&mut self, endpoint: Endpoint) -> &mut Vec<AuthHeader> {
        match endpoint {
            Endpoint::Verify => &mut self.verify,
            Endpoint::Settle => &mut self.settle,
            Endpoint::Supported => &mut self.supported,
        }
    }
}

impl Facilitators {
    /// Parses `[{"id", "url", "verifyTimeoutMs"?, "settleTimeoutMs"?, "headers"?}]`, primary first; a header is
    /// `{"name", "secret", "calls"?: ["verify", "settle", "supported"]}`, or has a token for each call: in place of the
    /// secret `"jwt": {"keyId", "secret", "algorithm": "EdDSA" | "ES256"}`.
    pub fn from_json(json: &str, secrets: &impl Secrets) -> Result<Self, ConfigError> {
        let wire: Vec<Wire> = json::read(json).map_err(|error| ConfigError::Json(error.to_string()))?;
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
            let timeout = |name, given: Option<u64>, default, most: u64| match given.unwrap_or(default) {
                0 => Err(field(name, "is 0")),
                ms if ms > most => Err(field(name, &format!("is over {most}"))),
                ms => Ok(ms),
            };
            let verify_timeout_ms =
                timeout("verifyTimeoutMs", wire.verify_timeout_ms, DEFAULT_VERIFY_TIMEOUT_MS, VERIFY_BUDGET_MS)?;
            let settle_timeout_ms =
                timeout("settleTimeoutMs", wire.settle_timeout_ms, DEFAULT_SETTLE_TIMEOUT_MS, MAX_TIMEOUT_MS)?;
            if wire.headers.len() > MAX_HEADERS {
                return Err(field("headers", "are more than 8"));
            }
            let mut auth = Auth::default();
            for header in wire.headers {
                let (header, calls) = header.check(index, secrets)?;
                for call in calls {
                    auth.of_mut(call).push(header.clone());
                }
            }
            list.push(Facilitator { id: wire.id, url, verify_timeout_ms, settle_timeout_ms, auth });
        }
        Ok(Self(list))
    }

    /// In the order in which they are tried where nothing else is said.
    pub fn iter(&self) -> impl Iterator<Item = &Facilitator> {
        self.0.iter()
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
    #[serde(default)]
    headers: Vec<auth::Wire>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn none() -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        let error = |json| Facilitators::from_json(json, &none()).unwrap_err().to_string();
        assert!(error(r#"[{"id":"a","url":"http://evil.example"}]"#).contains("facilitators[0].url"));
        assert!(error(r#"[{"id":"a","url":"https://a"},{"id":"a","url":"https://b"}]"#).contains("facilitators[1].id"));
        assert!(error(r#"[{"id":"a","url":"https://a","settleTimeoutMs":0}]"#).contains("[0].settleTimeoutMs"));
        assert!(error(r#"[{"id":"a","url":"https://a","timeout":1}]"#).contains("unknown field `timeout`"));
    }
    #[test]
    fn a_secret_goes_to_the_calls_it_is_for_and_into_no_text() {
        let secrets =
            BTreeMap::from([("KEY".to_owned(), "Bearer hunter2".to_owned()), ("BAD".into(), "hun\nter2".into())]);
        let list = |header: &str| {
            Facilitators::from_json(&format!(r#"[{{"id":"a","url":"https://a","headers":[{header}]}}]"#), &secrets)
        };
        let facilitators = list(r#"{"name":"Authorization","secret":"KEY","calls":["verify","settle"]}"#).unwrap();
        let a = facilitators.by_id("a").unwrap();
        for endpoint in [Endpoint::Verify, Endpoint::Settle] {
            let [header] = a.headers_of(endpoint) else { panic!("one header") };
            assert_eq!((header.name.as_str(), header.fixed_value()), ("authorization", Some("Bearer hunter2")));
        }
        assert!(a.headers_of(Endpoint::Supported).is_empty());
        assert!(!format!("{facilitators:?}").contains("hunter2"));
        for (header, key, says) in [
            (r#"{"name":"x-key","secret":"NO"}"#, "headers.secret", "\"NO\", which is not set"),
            (r#"{"name":"x-key","secret":"BAD"}"#, "headers.secret", "BAD"),
            (r#"{"name":"x-key"}"#, "headers", "one of"),
            (r#"{"name":"x-key","jwt":{"keyId":"k","secret":"KEY","algorithm":"EdDSA"}}"#, "headers.jwt.secret", "KEY"),
            (
                r#"{"name":"x-key","jwt":{"keyId":"k","secret":"NO","algorithm":"ES256"}}"#,
                "headers.jwt.secret",
                "not set",
            ),
            (r#"{"name":"x key","secret":"KEY"}"#, "headers.name", "x key"),
            (r#"{"name":"Content-Type","secret":"KEY"}"#, "headers.name", "Content-Type"),
        ] {
            let error = list(header).unwrap_err().to_string();
            assert!(error.starts_with(&format!("facilitators[0].{key}")) && error.contains(says), "{error}");
            assert!(!error.contains("hun"), "{error}");
        }
    }
}
