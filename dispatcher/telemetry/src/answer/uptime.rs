//! How tenants ran of late, for the catalogue: from the counts of days, by an index of tenants.

use super::DAY_MS;
use crate::store::{Database, DatabaseError, Statement, ask};
use dispatcher_core::{
    catalogue::{Uptime, entry::UPTIME_DAYS},
    paywall::UnixMillis,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A request is good whose answer the tenant's Worker made, and bad where it failed or was cut off.
const UPTIME: &str = "SELECT json_object('tenant', tenant, \
    'good', sum(iif(kind IN ('sold', 'served', 'settlement_unknown', 'settlement_failed'), count, 0)), \
    'bad', sum(iif(kind IN ('dispatch_failed', 'limit_hit'), count, 0))) FROM json_each(?1) AS asked \
    JOIN rollup ON rollup.tenant = asked.value WHERE span = 86400000 AND at >= ?2 GROUP BY tenant";

/// The most tenants of one question: a page of the catalogue has fewer.
const MOST: usize = 500;

#[derive(Deserialize)]
struct Row {
    tenant: String,
    #[serde(flatten)]
    uptime: Uptime,
}

pub async fn uptime(database: &impl Database, tenants: &[String], now: UnixMillis) -> Result<Value, DatabaseError> {
    let tenants = json!(&tenants[..tenants.len().min(MOST)]).to_string();
    let since = (now.0 - now.0 % DAY_MS).saturating_sub((UPTIME_DAYS - 1) * DAY_MS);
    let rows: Vec<Row> = ask(database, Statement::new(UPTIME, [tenants.into(), since.into()])).await?;
    let told: BTreeMap<String, Uptime> = rows.into_iter().map(|row| (row.tenant, row.uptime)).collect();
    Ok(json!(told))
}
