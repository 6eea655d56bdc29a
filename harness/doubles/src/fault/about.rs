//! What a fault says of itself, in its own file: from this come the lists, the schema's descriptions, what `harness explain` says of
//! the money, what the swarm draws, and what the comparison leaves out.

use grammar::Listed;
use schemars::JsonSchema;
use serde::Deserialize;

/// A fault, as everything but its double must know it. A field left out does not compile, so no place is silent.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub listed: Listed,
    pub on: OnCalls,
    pub moves: Moves,
    pub swarm: Drawn,
    pub compared: Compared,
}

/// The calls that it can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCalls {
    AnyCall,
    /// A verification or a settlement.
    Payments,
    Settle,
    /// The listener's, and no call's.
    Connection,
}

/// Whether the transfer took place behind a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Money {
    Moved,
    Kept,
}

/// Whether the money of a settlement moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    Always,
    Never,
    /// The scenario says so.
    AsItSays,
}

/// How the swarm draws a fault, as a scenario writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    OnAnyCall(&'static [&'static str]),
    OnSettle(&'static [&'static str]),
    Not { because: &'static str },
}

/// Whether `harness conformance` tries it at both servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    Yes,
    Not { because: &'static str },
}
