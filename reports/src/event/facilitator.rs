//! A call at a facilitator double, and the money that it moved.

use super::FaultRef;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilitatorEndpoint {
    Verify,
    Settle,
    Supported,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacilitatorCall {
    pub facilitator: String,
    pub endpoint: FacilitatorEndpoint,
    /// 1-based, per facilitator and endpoint.
    pub nth: u64,
    pub payment: Option<String>,
    /// Keccak-256 of the request body's `paymentPayload`, hex: whether a retry was identical.
    pub payload_hash: Option<String>,
    pub received_us: u64,
    pub ended_us: u64,
    /// The fault that was applied to this call.
    pub fault: Option<FaultRef>,
    /// It came with an API key that is not this facilitator's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stray_key: bool,
    pub answer: FacilitatorAnswer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilitatorAnswer {
    /// An answer left the double whole. `ok` is `isValid` or `success`, absent where the body has neither.
    Sent {
        status: u16,
        ok: Option<bool>,
        reason: Option<String>,
        transaction: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payer: Option<String>,
    },
    /// The caller got no whole answer: `refused`, `reset`, `hung`, `truncated`, `caller-gone`.
    None { how: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    pub facilitator: String,
    pub payment: String,
    pub network: String,
    pub asset: String,
    pub from: String,
    pub to: String,
    pub value: String,
    pub transaction: String,
}
