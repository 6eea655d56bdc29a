//! The questions that the dispatcher hands on to where events are kept. Whoever asks has a token: that is looked at before.

use super::resource::Resource;
use serde::{Deserialize, Serialize};
use x402_paywall::{
    UnixMillis,
    ledger::books::{Entry, Span},
};

/// A request as the dispatcher hands it on: its token was looked at, and nothing else of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub resource: Resource,
    /// The name in its path, if that has one.
    pub name: String,
    pub query: String,
}

/// All that the desk is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    Kept(Kept),
    /// To hold what is kept against what the ledger has.
    Reconcile(LedgerBooks),
    /// How these tenants ran of late, by their ids: JSON of a [`crate::catalogue::Uptime`] each.
    Uptime(Vec<String>),
}

/// The desk gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The question is wrong; whoever asked is told why.
    #[error("{0}")]
    Refused(String),
    /// For the log.
    #[error("{0}")]
    Unavailable(String),
}

/// A question, read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Events(EventsAsked),
    Analytics {
        window: Window,
        top: u32,
    },
    Slo {
        window: SloWindow,
    },
    Tenant {
        id: String,
    },
    Settlements(SettlementsAsked),
    Page(Page),
    /// The document of the platform API.
    OpenApi,
    /// To hold what is kept against what the ledger has.
    Reconcile(LedgerBooks),
    /// How these tenants ran of late.
    Uptime(Vec<String>),
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

/// A file of the page for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    Html,
    Style,
    Script,
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
    /// The chain's word on the newest of them. `None`: no node is configured.
    #[serde(default)]
    pub chain: Option<ChainLook>,
    /// Whether the clock asks, and the outcome is to be remembered.
    #[serde(default)]
    pub is_scheduled: bool,
}

/// The chain's word on some settled payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLook {
    pub found: u32,
    /// The payments that are not spent there, or in another transaction than the ledger's.
    pub missing: Vec<String>,
    /// The payments of which no node could tell.
    pub no_word: u32,
}

/// An answer, as it goes to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub content_type: String,
    pub text: String,
}
