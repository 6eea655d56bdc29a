//! A payment's place in its shard's store, and its share in the shard's alarm.

use super::{alarm::Alarm, port::ShardStore};
use crate::{UnixMillis, ledger::Record, ledger::port::RecordStore, ledger_error::LedgerError};
use std::rc::Rc;

pub struct Row<S: ShardStore> {
    row: S::Row,
    alarm: Rc<Alarm<S>>,
}

impl<S: ShardStore> Row<S> {
    pub(super) fn new(row: S::Row, alarm: Rc<Alarm<S>>) -> Self {
        Self { row, alarm }
    }
}

impl<S: ShardStore> RecordStore for Row<S> {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        self.row.load().await
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.row.save(record, body).await
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        self.row.body().await
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.row.drop_body().await
    }

    /// The alarm first: one that rings too early finds nothing due, and one that is missing leaves a payment to nobody.
    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.alarm.by(at).await?;
        self.row.wake_at(at).await
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        self.row.forget().await
    }
}
