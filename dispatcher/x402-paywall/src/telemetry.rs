//! What the paywall tells of itself: one event per stage of a payment, and the attempts made at facilitators.

use crate::Reason;
use serde::{Deserialize, Serialize};

/// One call to a facilitator, or why there was none, for the request's log line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub facilitator: String,
    pub call: Call,
    /// `ok`, the reason of a refusal, or why it gave no answer (see [`crate::facilitator::verdict::NoAnswer`]) or was not
    /// asked: `quarantined`, `cannot_serve`, `no_time_left`, `busy`.
    pub result: String,
    pub ms: u64,
    /// Its own words for a failure, short and without secrets. For the log alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl Attempt {
    /// Whether there was a call at all.
    #[must_use]
    pub fn was_made(&self) -> bool {
        !matches!(self.result.as_str(), "quarantined" | "cannot_serve" | "no_time_left")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Verify,
    Settle,
}

/// A facilitator's standing changed at one kind of call. Written by the monitor, once per change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StandingChange {
    pub facilitator: String,
    pub call: Call,
    /// `healthy`, `degraded`, `quarantined` or `probing`.
    pub from: &'static str,
    pub to: &'static str,
    /// The outcome of the call that made the difference: `answered`, or its reason code.
    pub reason: String,
    /// Its own words for a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// A facilitator is in a state that only an operator can mend. Written by the monitor, once in a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacilitatorAlert {
    /// `credentials_refused`: it answers 401 or 403. `facilitator_refuses_all`: it answers everybody with another 4xx, or
    /// sends them elsewhere.
    pub alert: &'static str,
    pub facilitator: String,
    pub call: Call,
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// A payment reached a stage. Written by whoever keeps the ledger, once per stage reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentEvent<'a> {
    /// The request that brought it there; none where an alarm did.
    pub request_id: Option<&'a str>,
    pub tenant_id: &'a str,
    /// `network:asset:from:nonce`.
    pub payment: &'a str,
    pub stage: Stage,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Claimed,
    Verified,
    /// Given up before any settlement was tried: nothing moved, and the payment may be claimed again.
    Released,
    Executed,
    Settling,
    Settled,
    Refused,
    /// The chain says that the payment was spent on another purchase.
    SpentElsewhere,
    Unknown,
    HandedOver,
}
