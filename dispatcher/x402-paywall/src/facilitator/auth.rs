//! Headers that a facilitator wants to see before it talks to us: a fixed API key, or a token made for each call.
//!
//! The configuration names a secret. Its value is read once and shown to nobody else: nothing here has a `Debug` or a
//! `Serialize` that would print it.

use super::{
    ConfigError,
    token::{SigningKey, TokenWire, Tokens},
};
use crate::{
    UnixMillis,
    facilitator::credentials::{CredentialSigner, Secrets, SignError},
    facilitator::transport::HttpRequest,
};
use serde::Deserialize;
use std::{borrow::Cow, fmt};

/// Longest header value that is sent: proxies cut off at 8 kB.
const MAX_VALUE_BYTES: usize = 4_096;
/// A part of a value that is shorter is no secret by itself.
const MIN_SECRET_BYTES: usize = 5;
/// Headers that belong to the exchange itself.
const RESERVED: [&str; 8] =
    ["content-type", "content-length", "accept", "host", "connection", "transfer-encoding", "te", "upgrade"];

/// One of a facilitator's endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Verify,
    Settle,
    Supported,
}

/// A header that proves who we are.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthHeader {
    /// Lower case.
    pub name: String,
    credential: Credential,
}

#[derive(Clone, PartialEq, Eq)]
enum Credential {
    /// The same for every call.
    Value(String),
    /// A token for each call.
    Tokens(Tokens),
}

impl AuthHeader {
    /// A header with the same value for every call.
    #[must_use]
    pub fn fixed(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), credential: Credential::Value(value.into()) }
    }

    /// The value, if it is the same for every call.
    #[must_use]
    pub fn fixed_value(&self) -> Option<&str> {
        match &self.credential {
            Credential::Value(value) => Some(value),
            Credential::Tokens(_) => None,
        }
    }

    /// The value for this request, as whoever sends it sets it. Without an answer nothing may be sent.
    pub async fn value(
        &self,
        request: &HttpRequest<'_>,
        now: UnixMillis,
        signer: &impl CredentialSigner,
    ) -> Result<Cow<'_, str>, SignError> {
        match &self.credential {
            Credential::Value(value) => Ok(Cow::Borrowed(value)),
            Credential::Tokens(tokens) => tokens.made_for(request, now, signer).await.map(Cow::Owned),
        }
    }

    /// The text without our secret, if it is in there.
    pub(super) fn taken_out_of(&self, text: &str) -> String {
        let value = self.fixed_value().unwrap_or_default();
        let parts = value.split_ascii_whitespace().filter(|part| part.len() >= MIN_SECRET_BYTES);
        parts.fold(text.to_owned(), |text, part| text.replace(part, "..."))
    }
}

impl fmt::Debug for AuthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: (a secret)", self.name)
    }
}

/// A header as the configuration has it: with a `secret`, or with a `jwt`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    name: String,
    secret: Option<String>,
    jwt: Option<TokenWire>,
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
        // A message names the secret only: its value may be right and merely in the wrong place.
        let read = |field, secret: &str| {
            let value = secrets.secret(secret).filter(|value| !value.is_empty());
            value.ok_or_else(|| wrong(field, format!("names {secret:?}, which is not set")))
        };
        let credential = match (self.secret, self.jwt) {
            (Some(secret), None) => {
                let value = read("headers.secret", &secret)?;
                if value.len() > MAX_VALUE_BYTES || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                    let why = format!("names {secret:?}, whose value cannot be a header's");
                    return Err(wrong("headers.secret", why));
                }
                Credential::Value(value)
            }
            (None, Some(jwt)) => {
                let value = read("headers.jwt.secret", &jwt.secret)?;
                let key = SigningKey::read(jwt.algorithm, &value);
                let key = key.map_err(|why| wrong("headers.jwt.secret", format!("names {:?}: {why}", jwt.secret)))?;
                if jwt.key_id.is_empty() {
                    return Err(wrong("headers.jwt.keyId", "is empty".to_owned()));
                }
                Credential::Tokens(Tokens::new(jwt.key_id, key))
            }
            _ => return Err(wrong("headers", "wants one of \"secret\" and \"jwt\"".to_owned())),
        };
        let calls = self.calls.unwrap_or_else(|| vec![Endpoint::Verify, Endpoint::Settle, Endpoint::Supported]);
        Ok((AuthHeader { name, credential }, calls))
    }
}
