//! What the ledger answers to a request.

use crate::{Reason, facilitator::verdict::Settlement, response::PaidResponse, telemetry::Attempt};
use serde::{Deserialize, Serialize};

/// A response that has left for its caller, or would have if the caller had still been there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departed {
    pub payment: String,
    pub holder: String,
    pub delivered: bool,
}

/// The ledger's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Verified and claimed for you: run the tenant.
    Run,
    /// Settled upfront, and the response is still owed: run the tenant.
    RunPaid(Settlement),
    /// Settled, now or before. The response that was paid for is yours to hand over.
    Settled(Settlement),
    /// The payment does not hold; nothing moved.
    Invalid(Reason),
    /// It came to collect, and has bought nothing: nothing moved, and nobody holds it.
    NothingBought,
    /// No facilitator could verify.
    Nobody,
    /// Another request holds the payment.
    InProgress,
    /// Another payment has the identifier. Its transaction, once there is one.
    IdentifierTaken { transaction: Option<String> },
    /// Money may have moved. Ask again with the same payment, when more is likely to be known.
    Pending {
        transaction: Option<String>,
        #[serde(default)]
        retry_after_ms: u64,
    },
    /// Spent on another request, or its response was handed over.
    AlreadyUsed { transaction: Option<String> },
    /// Settling was refused; nothing moved.
    Refused(Reason),
    /// Noted; there is nothing to say.
    Noted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimReply {
    pub reply: Reply,
    /// The stored response, with [`Reply::Settled`].
    pub response: Option<PaidResponse>,
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleReply {
    pub reply: Reply,
    pub attempts: Vec<Attempt>,
}
