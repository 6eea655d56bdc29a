//! One tenant: what it sold and suffered, today, this week and ever.

use super::{DAY_MS, EVER_MS, HOUR_MS};
use crate::store::{Database, DatabaseError, Statement, read};
use dispatcher_core::paywall::UnixMillis;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const COUNTS: &str = "SELECT json_object('kind', kind, 'count', sum(count), 'amount', CAST(sum(amount) AS TEXT), 'own', \
    CAST(sum(own) AS TEXT)) FROM rollup WHERE tenant = ?1 AND span = ?2 AND at >= ?3 \
    AND kind NOT IN ('verify', 'settle', 'dispatch') GROUP BY kind ORDER BY kind";
const CODES: &str = "SELECT json_object('type', kind, 'code', code, 'count', sum(count)) FROM rollup WHERE tenant = ?1 \
    AND span = ?2 AND at >= ?3 AND code <> '' AND kind NOT IN ('verify', 'settle', 'dispatch') GROUP BY kind, code \
    ORDER BY sum(count) DESC LIMIT 20";

#[derive(Deserialize)]
struct Count {
    kind: String,
    count: u64,
    amount: String,
    own: String,
}

pub async fn tenant(database: &impl Database, id: &str, now: UnixMillis) -> Result<Value, DatabaseError> {
    let today = now.0 - now.0 % DAY_MS;
    let times =
        [("today", HOUR_MS, today), ("week", DAY_MS, today.saturating_sub(6 * DAY_MS)), ("overall", EVER_MS, 0)];
    let of = |sql, span: u64, from: u64| Statement::new(sql, [id.into(), span.into(), from.into()]);
    let statements = times.iter().map(|(_, span, from)| of(COUNTS, *span, *from));
    let rows = database.run(statements.chain([of(CODES, DAY_MS, today.saturating_sub(6 * DAY_MS))]).collect()).await?;
    let mut told = Map::from_iter([("tenant_id".to_owned(), json!(id))]);
    for ((name, ..), rows) in times.iter().zip(&rows) {
        told.insert((*name).to_owned(), described(&read(rows)?));
    }
    let codes: Vec<Value> = rows.last().map(read).transpose()?.unwrap_or_default();
    told.insert("codes_of_week".to_owned(), json!(codes));
    Ok(Value::Object(told))
}

fn described(counts: &[Count]) -> Value {
    let settled = counts.iter().find(|count| count.kind == "payment_settled");
    let events: Map<String, Value> = counts.iter().map(|it| (it.kind.clone(), json!(it.count))).collect();
    json!({
        "events": events,
        "settled": settled.map_or(0, |it| it.count),
        "revenue": settled.map_or("0", |it| it.amount.as_str()),
        "by_itself": settled.map_or("0", |it| it.own.as_str()),
    })
}
