//! The dispatcher's own words, as it logs them.

use super::FacilitatorEndpoint;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatcherRequest {
    pub request_id: String,
    pub tenant_id: Option<String>,
    /// Method and path at the tenant, without the query.
    pub route: String,
    pub status: u16,
    pub code: Option<String>,
    pub payment: Option<String>,
    pub transaction: Option<String>,
    pub attempts: Vec<FacilitatorAttempt>,
    pub ms: u64,
}

/// One call the dispatcher made to a facilitator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacilitatorAttempt {
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    /// `ok`, or the reason code: `unreachable`, `timeout`, `http_<status>`, `invalid_json`, `contradiction`, ...
    pub result: String,
    pub ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatcherPayment {
    pub request_id: Option<String>,
    pub tenant_id: String,
    pub payment: String,
    /// `claimed`, `verified`, `released`, `executed`, `settling`, `settled`, `refused`, `unknown` or `handed_over`.
    pub stage: String,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub facilitator: Option<String>,
    #[serde(default)]
    pub transaction: Option<String>,
}

/// The dispatcher's opinion of a facilitator at one kind of call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacilitatorStanding {
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    /// `healthy`, `degraded`, `quarantined` or `probing`.
    pub from: String,
    pub to: String,
    /// `answered`, or the reason code of the call that made the difference.
    pub reason: String,
}

/// Something begins that an operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatcherAlert {
    pub alert: String,
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// The address that it is about.
    #[serde(default)]
    pub source: Option<String>,
    /// Unix time in milliseconds until which policy has put the tenant away.
    #[serde(default)]
    pub quarantined_until_ms: Option<u64>,
}

/// Something that keeps a payment from its end, or that went wrong beside requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleLine {
    /// The dispatcher's word for it, such as `health_unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// `network:asset:from:nonce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    pub why: String,
}

/// One request of a tenant's, or one hop of a redirect, at the outbound Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressLine {
    /// Empty where no policy came with it.
    pub tenant_id: String,
    /// The destination.
    #[serde(default)]
    pub host: Option<String>,
    /// Why it went nowhere.
    #[serde(default)]
    pub refused: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryLine {
    /// `adopted`, `kept`, `left_out` or `unavailable`. In a history the line's own kind is called `event`.
    #[serde(rename = "happened", alias = "event")]
    pub event: String,
    /// The snapshot that is in use.
    #[serde(default)]
    pub version: Option<u64>,
    #[serde(default)]
    pub why: String,
}

/// An operator changed something, or was turned away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorLine {
    pub request_id: String,
    pub route: String,
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The scope of the token that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
