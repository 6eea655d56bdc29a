//! What is forgotten, and when. A run takes a bounded number of rows, so that it never holds up what is stored.

use crate::{
    answer::{DAY_MS, HOUR_MS, MINUTE_MS},
    store::{Database, DatabaseError, Statement},
};
use dispatcher_core::paywall::UnixMillis;

/// The days for which each is kept. Counts of days and of all time stay.
pub const EVENT_DAYS: u64 = 30;
pub const MINUTE_DAYS: u64 = 8;
pub const HOUR_DAYS: u64 = 90;
pub const DEAD_LETTER_DAYS: u64 = 90;
/// Two years: accounts of a year are closed within the next.
pub const PAYMENT_DAYS: u64 = 731;

/// The most rows of a table that one run takes.
const MOST: u64 = 5_000;

const EVENTS: &str = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < ?1 ORDER BY at LIMIT ?2)";
const BATCHES: &str = "DELETE FROM batch WHERE id IN (SELECT id FROM batch WHERE at < ?1 LIMIT ?2)";
const DEAD_LETTERS: &str = "DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE at < ?1 LIMIT ?2)";
const PAYMENTS: &str = "DELETE FROM payment WHERE payment IN (SELECT payment FROM payment WHERE \
    max(coalesce(settled_at, 0), coalesce(unknown_at, 0), coalesce(refused_at, 0), coalesce(spent_at, 0), \
    coalesce(handed_at, 0)) < ?1 LIMIT ?2)";
const ROLLUPS: &str = "DELETE FROM rollup WHERE (span, at, tenant, kind, code, facilitator) IN (SELECT span, at, tenant, kind, \
    code, facilitator FROM rollup WHERE span = ?3 AND at < ?1 LIMIT ?2)";
const LATENCIES: &str = "DELETE FROM latency WHERE (span, at, tenant, series, bucket) IN (SELECT span, at, tenant, series, \
    bucket FROM latency WHERE span = ?3 AND at < ?1 LIMIT ?2)";

/// Forgets what is over.
pub async fn forget(database: &impl Database, now: UnixMillis) -> Result<(), DatabaseError> {
    let before = |days: u64| now.0.saturating_sub(days * DAY_MS);
    let plain = |sql, days| Statement::new(sql, [before(days).into(), MOST.into()]);
    let counts = |sql, days, span: u64| Statement::new(sql, [before(days).into(), MOST.into(), span.into()]);
    let due = vec![
        plain(EVENTS, EVENT_DAYS),
        plain(BATCHES, EVENT_DAYS),
        plain(DEAD_LETTERS, DEAD_LETTER_DAYS),
        plain(PAYMENTS, PAYMENT_DAYS),
        counts(ROLLUPS, MINUTE_DAYS, MINUTE_MS),
        counts(ROLLUPS, HOUR_DAYS, HOUR_MS),
        counts(LATENCIES, MINUTE_DAYS, MINUTE_MS),
        counts(LATENCIES, HOUR_DAYS, HOUR_MS),
    ];
    database.run(due).await.map(drop)
}
