//! What a rule is about, in the words in which other checkers of x402 servers sort theirs, so that results can be laid side
//! by side.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A specification or this project's documents say so.
    Normative,
    /// Whoever breaks in gains by it.
    Security,
    /// A failure beside the dispatcher is not made worse by it.
    Resilience,
    /// The run itself did what it was to do. Says nothing of the dispatcher.
    Coverage,
}

impl Class {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normative => "normative",
            Self::Security => "security",
            Self::Resilience => "resilience",
            Self::Coverage => "coverage",
        }
    }
}
