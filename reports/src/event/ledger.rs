//! Payments as the settlement ledger has them, after a kill or a run.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerState {
    pub payment: String,
    /// `vacant`, `claimed`, `verified`, `executed`, `settling`, `settled`, `refused` or `unknown`.
    pub state: String,
    pub transaction: Option<String>,
}

/// A payment's record that is left in storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecord {
    pub payment: String,
    /// The name as in [`LedgerState`].
    pub state: String,
    /// When it was written last.
    pub since_us: u64,
    pub bytes: u64,
    /// Bytes of the response beside it.
    #[serde(default)]
    pub body_bytes: u64,
}

/// What was kept, held against the ledger, once everything had arrived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    pub matched: u64,
    pub missing_in_telemetry: Vec<String>,
    pub missing_in_ledger: Vec<String>,
    pub differing: Vec<String>,
    /// Events that are stored.
    pub kept: u64,
    /// Events that the counts of all time have.
    pub counted: u64,
    /// Events that were counted as never sent.
    pub lost: u64,
    /// Events that lie with the dead letters.
    pub put_aside: u64,
    /// Events that waited in the memory of processes that were killed.
    pub unsent: u64,
}
