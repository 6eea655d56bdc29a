//! Headers that a facilitator wants to see before it talks to us, such as an API key. The configuration names the secret;
//! its value is read once and shown to nobody else: nothing here has a `Debug` or a `Serialize` that would print it.

use super::ConfigError;
use crate::ports::Secrets;
use serde::Deserialize;
use std::fmt;

/// Longest header value that is sent: proxies cut off at 8 kB.
const MAX_VALUE_BYTES: usize = 4_096;
/// Headers that belong to the exchange itself.
const RESERVED: [&str; 8] =
    ["content-type", "content-length", "accept", "host", "connection", "transfer-encoding", "te", "upgrade"];

/// Which of a facilitator's endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Verify,
    Settle,
    Supported,
}

/// A header with the value of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthHeader {
    /// Lower case.
    pub name: String,
    pub value: String,
}

impl fmt::Debug for AuthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: (a secret)", self.name)
    }
}

/// A header as the configuration has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    name: String,
    secret: String,
    /// Absent: all.
    calls: Option<Vec<Endpoint>>,
}

impl Wire {
    /// `index` is the facilitator's.
    pub(super) fn check(
        self,
        index: usize,
        secrets: &impl Secrets,
    ) -> Result<(AuthHeader, Vec<Endpoint>), ConfigError> {
        let wrong = |field, why: String| ConfigError::Field { index, field, why };
        let name = self.name.to_ascii_lowercase();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) || RESERVED.contains(&name.as_str()) {
            return Err(wrong("headers.name", format!("{:?} is not a header that can be set", self.name)));
        }
        let value = secrets.secret(&self.secret).filter(|value| !value.is_empty());
        // The secret's name only: the value may be right and merely in the wrong place.
        let value =
            value.ok_or_else(|| wrong("headers.secret", format!("names {:?}, which is not set", self.secret)))?;
        if value.len() > MAX_VALUE_BYTES || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            let why = format!("names {:?}, whose value cannot be a header's", self.secret);
            return Err(wrong("headers.secret", why));
        }
        let calls = self.calls.unwrap_or_else(|| vec![Endpoint::Verify, Endpoint::Settle, Endpoint::Supported]);
        Ok((AuthHeader { name, value }, calls))
    }
}
