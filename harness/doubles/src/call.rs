//! A facilitator's endpoints, as a fault names them.

use schemars::JsonSchema;
use serde::Deserialize;

/// Which of a facilitator's endpoints a fault is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    Verify,
    Settle,
    Any,
}

impl Call {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Settle => "settle",
            Self::Any => "any",
        }
    }

    pub fn meets(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}
