//! The one alarm of a shard.

use super::port::ShardStore;
use crate::{UnixMillis, ledger_error::LedgerError};
use std::{cell::Cell, rc::Rc};

/// The time after which an alarm that did not ring has run out. The platform may be late by some seconds.
const LATE_MS: u64 = 60_000;

/// An alarm, and what is known of it.
pub struct Alarm<S> {
    store: Rc<S>,
    /// `None`: this process has not set it yet.
    at: Cell<Option<UnixMillis>>,
}

impl<S: ShardStore> Alarm<S> {
    pub fn new(store: Rc<S>) -> Self {
        Self { store, at: Cell::default() }
    }

    /// Has it ring at `at`, in place of any other time.
    pub async fn set(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.store.set_alarm(at).await?;
        self.at.set(Some(at));
        Ok(())
    }

    /// Has it ring at `at` or before.
    pub async fn by(&self, at: UnixMillis) -> Result<(), LedgerError> {
        match self.at.get() {
            Some(set) if set <= at => Ok(()),
            _ => self.set(at).await,
        }
    }

    /// Sets one that has run out, or that this process knows nothing of.
    pub async fn ensure(&self, now: UnixMillis) -> Result<(), LedgerError> {
        if self.at.get().is_some_and(|at| now < at.plus(LATE_MS)) {
            return Ok(());
        }
        match self.store.least_due().await? {
            Some(due) => self.set(due).await,
            None => Ok(()),
        }
    }
}
