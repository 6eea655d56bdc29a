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
