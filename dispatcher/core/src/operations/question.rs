//! The questions that the dispatcher hands on to where events are kept. Whoever asks has a token: that is looked at before.

use serde::{Deserialize, Serialize};
use x402_paywall::{
    UnixMillis,
    ledger::books::{Entry, Span},
};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Events(EventsAsked),
    Analytics { window: Window, top: u32 },
    Slo { window: SloWindow },
    Tenant { id: String },
    Settlements(SettlementsAsked),
    /// To hold what is kept against what the ledger has.
    Reconcile(LedgerBooks),
}

/// Events, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsAsked {
    pub limit: u32,
    pub tenant: Option<String>,
    /// As [`crate::telemetry::event::Event::kind`] has it.
    pub kind: Option<String>,
    pub since: Option<UnixMillis>,
    pub until: Option<UnixMillis>,
    /// The last event that was told, with its time.
    pub after: Option<(UnixMillis, String)>,
}

/// The time that analytics are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Since midnight in UTC.
    Today,
    /// The last seven days.
    Week,
    Overall,
}

/// The time that objectives are looked at over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SloWindow {
    Hour,
    Day,
    Week,
}

/// A line for each settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementsAsked {
    pub span: Span,
    pub limit: u32,
    pub tenant: Option<String>,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Json,
    Csv,
}

/// The ledger's own books of a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerBooks {
    pub from: UnixMillis,
    pub to: UnixMillis,
    pub settled: Vec<Entry>,
    /// The payments whose settlement is open, whenever they began.
    pub open: Vec<Entry>,
    /// Whether there was more than could be listed.
    pub is_cut: bool,
    /// The transfers that the chain does not have, by payment. `None`: no node was asked.
    #[serde(default)]
    pub not_on_chain: Option<Vec<String>>,
}

/// An answer, as it goes to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub content_type: String,
    pub text: String,
}
