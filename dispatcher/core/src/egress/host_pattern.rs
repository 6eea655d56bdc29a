//! A host by name, or all hosts below one.

use crate::dispatch_key::is_host;
use serde::{Deserialize, Serialize};

/// `api.example.com`, or `*.example.com` for every host below `example.com` and not itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

const BELOW: &str = "*.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host is lower-case labels with a dot between them, or `*.` and such a host")]
pub struct NoHostPattern;

impl TryFrom<String> for HostPattern {
    type Error = NoHostPattern;

    fn try_from(text: String) -> Result<Self, NoHostPattern> {
        let host = text.strip_prefix(BELOW).unwrap_or(&text);
        // A pattern of one label would be a whole top level, or no public name.
        if is_host(host) && host.contains('.') { Ok(Self(text)) } else { Err(NoHostPattern) }
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.0
    }
}

impl HostPattern {
    /// `name` in lower case, without a trailing dot.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_prefix(BELOW) {
            None => self.0 == name,
            Some(above) => name.strip_suffix(above).is_some_and(|below| below.ends_with('.')),
        }
    }
}
