//! How much a rule weighs, in the words of specifications. A rule that was never seen to fail can begin as `observe`, and
//! grow into one that gates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In order of weight: a gate lets through what is weaker than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A run in which it does not hold is no pass.
    Must,
    /// Reported; fails a run only where that is asked for.
    Should,
    /// Only told.
    Observe,
}

impl Level {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Observe => "observe",
        }
    }
}
