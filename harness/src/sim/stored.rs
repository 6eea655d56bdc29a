//! What the settlement ledger has stored, which outlives every process: a memory for each shard, and one for names.

use dispatcher_core::paywall::ledger::Memory;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// A clone is the same storage.
#[derive(Clone, Default)]
pub struct StoredLedger {
    /// Identifiers and transactions.
    pub names: Memory,
    shards: Rc<RefCell<BTreeMap<String, Memory>>>,
}

impl StoredLedger {
    /// The memory of a shard.
    #[must_use]
    pub fn shard(&self, name: &str) -> Memory {
        self.shards.borrow_mut().entry(name.to_owned()).or_default().clone()
    }

    /// The memory that has a payment, or an empty one.
    #[must_use]
    pub fn of(&self, payment: &str) -> Memory {
        self.shards.borrow().values().find(|memory| memory.knows(payment)).cloned().unwrap_or_default()
    }
}
