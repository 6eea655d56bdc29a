//! What the one place that merges all boards needs: storage, and somebody to tell.

use super::Snapshot;
use crate::{
    UnixMillis,
    ledger_error::LedgerError,
    telemetry::{FacilitatorAlert, StandingChange},
};
use std::future::Future;

/// The store in which the merged view of all facilitators' health outlives a restart.
pub trait HealthStore {
    fn load(&self) -> impl Future<Output = Result<Option<Snapshot>, LedgerError>>;
    fn save(&self, snapshot: &Snapshot) -> impl Future<Output = Result<(), LedgerError>>;
    /// Wakes the monitor at `at`, in place of any earlier wish.
    fn wake_at(&self, at: UnixMillis) -> impl Future<Output = Result<(), LedgerError>>;
}

/// Takes changes of facilitators' standing. Must not fail and must not wait.
pub trait HealthLog {
    fn record(&self, change: &StandingChange);
    /// Something that an operator has to mend.
    fn alert(&self, alert: &FacilitatorAlert);
}
