//! What passes between an isolate's board and the one place that merges all of them.

use super::{
    regulars::Regulars,
    standing::{Event, Health},
};
use crate::{facilitator::Supported, telemetry::Call};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The observations of a board since it last told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct News {
    pub observations: Vec<Observation>,
    /// A verify request for each facilitator that needs probing: a payment that it, or another, has answered soundly.
    pub specimens: BTreeMap<String, Box<RawValue>>,
    /// Payers whose payments were settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regulars: Vec<u64>,
}

/// One facilitator call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub facilitator: String,
    pub call: Call,
    pub event: Event,
}

/// The merged view. Also what is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub facilitators: BTreeMap<String, Known>,
    /// Payers whose payments were settled lately, the latest of all isolates.
    #[serde(default, skip_serializing_if = "Regulars::is_empty")]
    pub regulars: Regulars,
}

/// All that is known of one facilitator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub verify: Health,
    pub settle: Health,
    /// `None` until it answered `/supported` once.
    pub supported: Option<Supported>,
}

impl Known {
    #[must_use]
    pub fn of(&self, call: Call) -> &Health {
        match call {
            Call::Verify => &self.verify,
            Call::Settle => &self.settle,
        }
    }

    #[must_use]
    pub fn of_mut(&mut self, call: Call) -> &mut Health {
        match call {
            Call::Verify => &mut self.verify,
            Call::Settle => &mut self.settle,
        }
    }

    /// Whether a new payment may go there: one that could be verified but not settled would only be stuck.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.verify.standing.is_in_use() && self.settle.standing.is_in_use()
    }
}
