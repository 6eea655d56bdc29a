//! A shard's tables. The response's body stands apart from the record, so that no look at records reads bodies.
//!
//! Nothing is awaited between two statements, so that what one turn writes is stored together or not at all.

use super::{
    object_storage::ObjectStorage,
    sql::{Sql, Times, number, text},
};
use dispatcher_core::{
    paywall::{
        UnixMillis,
        ledger::{Record, books::Span, shard::ShardStore},
        ports::{LedgerError, RecordStore},
    },
    protocol::json,
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use worker::State;

/// The statements that make the tables, in the order in which they were added. A statement that was deployed never changes.
const MIGRATIONS: [&str; 7] = [
    "CREATE TABLE payment (key TEXT PRIMARY KEY, record TEXT NOT NULL, due INTEGER, open_since INTEGER)",
    "CREATE INDEX payment_due ON payment (due) WHERE due IS NOT NULL",
    "CREATE INDEX payment_open ON payment (open_since) WHERE open_since IS NOT NULL",
    "CREATE TABLE response (key TEXT PRIMARY KEY, body BLOB NOT NULL)",
    "ALTER TABLE payment ADD COLUMN settled_at INTEGER",
    // A record is kept for seven days from then.
    "UPDATE payment SET settled_at = json_extract(record, '$.state.settled.keep_until') - 604800000",
    "CREATE INDEX payment_settled ON payment (settled_at, key) WHERE settled_at IS NOT NULL",
];
/// The key of the number of migrations that ran.
const VERSION: &str = "version";
/// The key of the number of shards that a caller knew of.
const RAISED_TO: &str = "raised_to";

/// One shard's database.
#[derive(Clone)]
pub struct ShardTables(Rc<Tables>);

struct Tables {
    sql: Sql,
    storage: ObjectStorage,
}

/// One payment's rows.
pub struct PaymentRow {
    tables: Rc<Tables>,
    payment: String,
    /// A time that was wished for before there was a record.
    due: Cell<Option<UnixMillis>>,
    is_stored: Cell<bool>,
}

impl ShardTables {
    /// Opens the database, and brings its tables up to date.
    pub fn open(state: &State) -> Result<Self, LedgerError> {
        let tables = Tables { sql: Sql::of(state), storage: ObjectStorage::of(state) };
        let done = tables.storage.text(VERSION)?.and_then(|version| version.parse().ok()).unwrap_or(0);
        for statement in MIGRATIONS.iter().skip(done) {
            tables.sql.run(statement, [])?;
        }
        if done < MIGRATIONS.len() {
            tables.storage.put_text(VERSION, &MIGRATIONS.len().to_string())?;
        }
        Ok(Self(Rc::new(tables)))
    }
}

impl ShardTables {
    fn records<const N: usize>(&self, statement: &str, values: [JsValue; N]) -> Result<Vec<Record>, LedgerError> {
        let rows = self.0.sql.rows(statement, values)?;
        rows.iter().filter_map(|row| row.text(0)).map(|record| read(&record)).collect()
    }
}

impl ShardStore for ShardTables {
    type Row = PaymentRow;

    fn row(&self, payment: &str) -> PaymentRow {
        let (tables, payment) = (Rc::clone(&self.0), payment.to_owned());
        PaymentRow { tables, payment, due: Cell::default(), is_stored: Cell::default() }
    }

    async fn due(&self, by: UnixMillis, limit: usize) -> Result<Vec<String>, LedgerError> {
        const DUE: &str = "SELECT key FROM payment WHERE due <= ? ORDER BY due LIMIT ?";
        let rows = self.0.sql.rows(DUE, [number(by.0), number(limit as u64)])?;
        Ok(rows.iter().filter_map(|row| row.text(0)).collect())
    }

    async fn least_due(&self) -> Result<Option<UnixMillis>, LedgerError> {
        let row = self.0.sql.row("SELECT min(due) FROM payment WHERE due IS NOT NULL", [])?;
        Ok(row.and_then(|row| row.number(0)).map(UnixMillis))
    }

    async fn postpone(&self, payments: &[String], until: UnixMillis) -> Result<(), LedgerError> {
        for payment in payments {
            self.0.sql.run("UPDATE payment SET due = ? WHERE key = ?", [number(until.0), text(payment)])?;
        }
        Ok(())
    }

    async fn settled(&self, span: &Span, limit: usize) -> Result<Vec<Record>, LedgerError> {
        const SETTLED: &str = "SELECT record FROM payment WHERE settled_at >= ?1 AND settled_at < ?2 \
             AND (settled_at, key) > (?3, ?4) ORDER BY settled_at, key LIMIT ?5";
        let (after, after_key) = span.after.as_ref().map_or((0, ""), |(at, key)| (at.0, key.as_str()));
        let values = [number(span.from.0), number(span.to.0), number(after), text(after_key), number(limit as u64)];
        self.records(SETTLED, values)
    }

    async fn open(&self, limit: usize) -> Result<Vec<Record>, LedgerError> {
        const OPEN: &str = "SELECT record FROM payment WHERE open_since IS NOT NULL ORDER BY open_since, key LIMIT ?";
        self.records(OPEN, [number(limit as u64)])
    }

    async fn set_alarm(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.0.storage.set_alarm(at)
    }

    async fn raised_to(&self) -> Result<u16, LedgerError> {
        Ok(self.0.storage.text(RAISED_TO)?.and_then(|shards| shards.parse().ok()).unwrap_or(0))
    }

    async fn raise_to(&self, shards: u16) -> Result<(), LedgerError> {
        self.0.storage.put_text(RAISED_TO, &shards.to_string())
    }
}

impl RecordStore for PaymentRow {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        let Some(record) = self.tables.sql.load(&self.payment)? else { return Ok(None) };
        self.is_stored.set(true);
        read(&record).map(Some)
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        let written = serde_json::to_string(record).expect("records have string keys and plain values");
        let times =
            Times { due: self.due.take(), open_since: record.state.first_asked_at(), settled_at: record.settled_at() };
        self.tables.sql.save(&self.payment, &written, &times, body)?;
        self.is_stored.set(true);
        Ok(())
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        let row = self.tables.sql.row("SELECT body FROM response WHERE key = ?", [text(&self.payment)])?;
        row.and_then(|row| row.bytes(0)).ok_or_else(|| LedgerError("the stored response is gone".to_owned()))
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.tables.sql.run("DELETE FROM response WHERE key = ?", [text(&self.payment)])
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        if !self.is_stored.get() {
            self.due.set(Some(at));
            return Ok(());
        }
        self.tables.sql.run("UPDATE payment SET due = ? WHERE key = ?", [number(at.0), text(&self.payment)])
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        self.drop_body().await?;
        self.tables.sql.run("DELETE FROM payment WHERE key = ?", [text(&self.payment)])?;
        self.is_stored.set(false);
        Ok(())
    }
}

fn read(record: &str) -> Result<Record, LedgerError> {
    json::read(record).map_err(|error| LedgerError(format!("stored record is unreadable: {error}")))
}
