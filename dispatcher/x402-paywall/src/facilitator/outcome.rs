//! What a call to a facilitator came to, as far as it tells of the facilitator.

use serde::{Deserialize, Serialize};

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Well formed, whatever it said: a refusal is an answer.
    Answered,
    /// With its reason code.
    Failed(String),
}
