//! How an honest facilitator answers a `/settle` that it has answered before. Facilitators in the field do not agree, so a
//! dispatcher must live with each of the three.

use schemars::JsonSchema;
use serde::Deserialize;

/// The answer to a second `/settle` of one payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Repeats {
    /// One of the others, drawn from the run's seed for each facilitator.
    #[default]
    Drawn,
    /// Its former yes.
    Yes,
    /// The chain's word: the nonce is used.
    NonceUsed,
    /// The node's word: the transaction cannot be made.
    InvalidState,
}
