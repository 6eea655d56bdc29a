//! A client's exchange with the dispatcher, and the purchase that it belongs to.

use super::Answer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    pub exchange: u64,
    /// Number of the arrival that it belongs to.
    #[serde(default)]
    pub arrival: u64,
    /// Kind of its client, as a scenario's mix names it.
    #[serde(default)]
    pub client: String,
    /// The traffic block's name.
    #[serde(default)]
    pub traffic: String,
    /// The address that the client called from.
    #[serde(default)]
    pub address: String,
    pub purchase: Option<u64>,
    pub kind: ExchangeKind,
    pub phase: String,
    /// Id of the tenant the request was meant for.
    pub tenant: String,
    /// Which of the world's dispatchers it was sent to, counted from 1.
    #[serde(default = "first")]
    pub dispatcher: usize,
    pub method: String,
    /// Path and query at the dispatcher, as they were sent.
    pub target: String,
    /// Key of the payment it carried: `network:asset:from:nonce`, lower case.
    pub payment: Option<String>,
    /// Id of the payment's `payment-identifier` extension.
    #[serde(default)]
    pub identifier: Option<String>,
    /// Whose `Authorization` and cookie came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Its body, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The fault of the payment, where its client broke it on purpose.
    #[serde(default)]
    pub flaw: Option<Flaw>,
    pub due_us: u64,
    pub sent_us: u64,
    /// When the whole body had arrived, or the exchange had failed.
    pub ended_us: u64,
    pub outcome: ExchangeOutcome,
}

/// The dispatcher of runs from before there could be two.
fn first() -> usize {
    1
}

/// Why a client sent an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    /// A caller that never pays.
    Unpaid,
    /// The first, unpaid request of a purchase, which fetches the offer.
    Challenge,
    /// A freshly signed payment.
    Payment,
    /// The same signed payment again: after an answer that said to, or after its content.
    Resend,
    /// The same signed payment for the same request, while another exchange carries it.
    Duplicate,
    /// A payment for another request than the one it was signed for.
    Elsewhere,
    /// A browser asks whether a page may send a payment.
    Preflight,
    /// Another caller's payment, for what that caller bought.
    Stolen,
}

/// A payment that must be refused, and how. Its client knows, because it made it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    pub name: String,
    /// Statuses that say it rightly.
    pub answers: Vec<u16>,
    /// Whether it can be refused without asking a facilitator or running the tenant.
    pub local: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "most events are the large ones; a box would only add an allocation to each"
)]
pub enum ExchangeOutcome {
    Answered(Answer),
    /// The client closed the connection before the answer came.
    HungUp,
    /// No whole answer: what the client's HTTP stack said.
    Failed {
        what: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    pub purchase: u64,
    /// Kind of its client, as a scenario's mix names it.
    #[serde(default)]
    pub client: String,
    /// The traffic block's name.
    #[serde(default)]
    pub traffic: String,
    pub tenant: String,
    /// Phase in which it was due.
    pub phase: String,
    pub payer: String,
    pub outcome: PurchaseOutcome,
    /// Every payment the client signed for it. More than one means that it was told to pay again.
    pub payments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseOutcome {
    Served,
    Refused,
    /// Still without a final answer when the client stopped asking.
    Unresolved,
}
