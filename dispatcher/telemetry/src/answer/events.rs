//! Events, the newest first, a page at a time.

use crate::store::{Database, DatabaseError, Statement, Value, ask};
use dispatcher_core::operations::question::EventsAsked;
use serde::Deserialize;
use serde_json::{Value as Json, json, value::RawValue};

/// Past every time that a request may name.
const EVER: u64 = 1 << 52;

#[derive(Deserialize)]
struct Row {
    id: String,
    at: u64,
    kind: String,
    line: Box<RawValue>,
}

pub async fn events(database: &impl Database, asked: &EventsAsked) -> Result<Json, DatabaseError> {
    let EventsAsked { limit, tenant, kind, since, until, after } = asked;
    let until = until.map_or(EVER, |until| until.0);
    let (before, before_id) = match after {
        Some((at, id)) if at.0 < until => (at.0, id.as_str()),
        _ => (until, ""),
    };
    let values: Vec<Value> = vec![
        since.map_or(0, |since| since.0).into(),
        before.into(),
        before_id.into(),
        u64::from(*limit).into(),
        tenant.clone().or_else(|| kind.clone()).into(),
        kind.clone().into(),
    ];
    let sql = match (tenant, kind) {
        (Some(_), Some(_)) => OF_TENANT_AND_KIND,
        (Some(_), None) => OF_TENANT,
        (None, Some(_)) => OF_KIND,
        (None, None) => ALL,
    };
    let many = match (tenant, kind) {
        (Some(_), Some(_)) => 6,
        (None, None) => 4,
        _ => 5,
    };
    let values = values.into_iter().take(many).collect();
    let rows: Vec<Row> = ask(database, Statement { sql, values }).await?;
    let next = rows.last().filter(|_| rows.len() >= *limit as usize).map(|last| format!("{}~{}", last.at, last.id));
    let told = rows.iter().map(|row| json!({"id": row.id, "at_ms": row.at, "type": row.kind, "event": row.line}));
    Ok(json!({"events": told.collect::<Vec<_>>(), "next": next}))
}

/// One statement a filter, so that each has its index.
macro_rules! select {
    ($filter:literal) => {
        concat!(
            "SELECT json_object('id', id, 'at', at, 'kind', kind, 'line', json(line)) FROM event WHERE at >= ?1 AND ",
            "(at, id) < (?2, ?3)",
            $filter,
            " ORDER BY at DESC, id DESC LIMIT ?4"
        )
    };
}

const ALL: &str = select!("");
const OF_TENANT: &str = select!(" AND tenant = ?5");
const OF_KIND: &str = select!(" AND kind = ?5");
const OF_TENANT_AND_KIND: &str = select!(" AND tenant = ?5 AND kind = ?6");
