//! The tables. A migration that was deployed never changes; a new one is appended.

use crate::store::{Database, DatabaseError, Statement, ask};
use serde::Deserialize;

/// The migrations, in the order in which they run.
pub const MIGRATIONS: [&str; 13] = [
    // One row an event. `id` is its batch's and its place there.
    "CREATE TABLE event (id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, tenant TEXT NOT NULL, \
     environment TEXT NOT NULL, request_id TEXT, payment TEXT, code TEXT, line TEXT NOT NULL)",
    "CREATE INDEX event_at ON event (at, id)",
    "CREATE INDEX event_tenant ON event (tenant, at, id)",
    "CREATE INDEX event_kind ON event (kind, at, id)",
    // Counts of a span of time: a minute, an hour, a day, and all of it.
    "CREATE TABLE rollup (span INTEGER, at INTEGER, tenant TEXT, kind TEXT, code TEXT, facilitator TEXT, \
     count INTEGER NOT NULL, amount INTEGER NOT NULL, own INTEGER NOT NULL, ms INTEGER NOT NULL, \
     PRIMARY KEY (span, at, tenant, kind, code, facilitator)) WITHOUT ROWID",
    "CREATE INDEX rollup_tenant ON rollup (tenant, span, at)",
    "CREATE TABLE latency (span INTEGER, at INTEGER, tenant TEXT, series TEXT, bucket INTEGER, count INTEGER NOT NULL, \
     PRIMARY KEY (span, at, tenant, series, bucket)) WITHOUT ROWID",
    // One row a payment that came as far as a settlement.
    "CREATE TABLE payment (payment TEXT PRIMARY KEY, tenant TEXT NOT NULL, payer TEXT NOT NULL, pay_to TEXT, amount TEXT, \
     tx TEXT, facilitator TEXT, unknown_at INTEGER, settled_at INTEGER, refused_at INTEGER, spent_at INTEGER, \
     handed_at INTEGER)",
    "CREATE INDEX payment_settled ON payment (settled_at, payment) WHERE settled_at IS NOT NULL",
    "CREATE INDEX payment_unknown ON payment (unknown_at) WHERE unknown_at IS NOT NULL",
    // One row a batch, and what is known to be missing before it.
    "CREATE TABLE batch (id TEXT PRIMARY KEY, at INTEGER NOT NULL, events INTEGER NOT NULL, lost INTEGER NOT NULL)",
    // What could not be read, or not be stored.
    "CREATE TABLE dead_letter (id TEXT PRIMARY KEY, at INTEGER NOT NULL, why TEXT NOT NULL, body TEXT NOT NULL)",
    // One row a thing that is remembered from one look at the clock to the next.
    "CREATE TABLE state (name TEXT PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL)",
];

/// Brings the tables up to date. For whoever has no migrations of the platform's own, and before each first use.
pub async fn migrate(database: &impl Database) -> Result<(), DatabaseError> {
    #[derive(Deserialize)]
    struct Done {
        n: usize,
    }
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (n INTEGER PRIMARY KEY)";
    const DONE: &str = "SELECT json_object('n', count(*)) FROM migration";
    const NOTE: &str = "INSERT INTO migration (n) VALUES (?)";
    database.run(vec![Statement::new(TABLE, [])]).await?;
    let done = ask::<Done>(database, Statement::new(DONE, [])).await?.first().map_or(0, |done| done.n);
    let due = MIGRATIONS.iter().enumerate().skip(done);
    let steps: Vec<_> =
        due.flat_map(|(n, sql)| [Statement::new(sql, []), Statement::new(NOTE, [(n as u64).into()])]).collect();
    if steps.is_empty() {
        return Ok(());
    }
    // In one transaction: of two that migrate at once, one finds the numbers taken, and nothing of it has happened.
    database.run(steps).await.map(drop)
}
