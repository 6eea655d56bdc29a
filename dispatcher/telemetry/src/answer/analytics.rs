//! Requests, revenue and tenants of a time, from counts.

use super::{DAY_MS, EVER_MS, HOUR_MS};
use crate::{
    histogram::percentile,
    store::{Database, DatabaseError, Statement, read},
};
use dispatcher_core::{operations::question::Window, paywall::UnixMillis};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KINDS: &str = "SELECT json_object('name', kind, 'count', sum(count)) FROM rollup WHERE span = ?1 AND at >= ?2 \
    GROUP BY kind ORDER BY kind";
const REVENUE: &str = "SELECT json_object('amount', CAST(coalesce(sum(amount), 0) AS TEXT), 'own', \
    CAST(coalesce(sum(own), 0) AS TEXT), 'count', coalesce(sum(count), 0)) FROM rollup \
    WHERE span = ?1 AND at >= ?2 AND kind = 'payment_settled'";
const TENANTS: &str = "SELECT json_object('tenant_id', tenant, \
    'revenue', CAST(sum(iif(kind = 'payment_settled', amount, 0)) AS TEXT), \
    'by_itself', CAST(sum(iif(kind = 'payment_settled', own, 0)) AS TEXT), \
    'settled', sum(iif(kind = 'payment_settled', count, 0)), \
    'requests', sum(iif(kind NOT LIKE 'payment~_%' ESCAPE '~' AND kind NOT IN ('verify', 'settle', 'received', 'dispatch', 'alert', 'trouble'), count, 0)), \
    'limit_hits', sum(iif(kind = 'limit_hit', count, 0))) \
    FROM rollup WHERE span = ?1 AND at >= ?2 AND tenant <> '' GROUP BY tenant \
    ORDER BY sum(iif(kind = 'payment_settled', amount, 0)) DESC, sum(count) DESC, tenant LIMIT ?3";
const CALLS: &str = "SELECT json_object('facilitator', facilitator, 'call', kind, 'outcome', code, 'count', sum(count), \
    'ms', sum(ms)) FROM rollup WHERE span = ?1 AND at >= ?2 AND kind IN ('verify', 'settle') \
    GROUP BY facilitator, kind, code ORDER BY facilitator, kind, code";
const LATENCY: &str = "SELECT json_object('series', series, 'bucket', bucket, 'count', sum(count)) FROM latency \
    WHERE span = ?1 AND at >= ?2 GROUP BY series, bucket";
const SERIES: &str = "SELECT json_object('at', at, 'kind', kind, 'count', sum(count), 'amount', \
    CAST(sum(amount) AS TEXT)) FROM rollup WHERE span = ?1 AND at >= ?2 AND kind NOT IN ('verify', 'settle') \
    GROUP BY at, kind ORDER BY at, kind";
const LOST: &str = "SELECT json_object('lost', coalesce(sum(lost), 0)) FROM batch WHERE at >= ?1";

#[derive(Deserialize)]
struct Count {
    name: String,
    count: u64,
}

#[derive(Deserialize)]
struct Revenue {
    amount: String,
    own: String,
    count: u64,
}

#[derive(Deserialize)]
struct Call {
    facilitator: String,
    call: String,
    outcome: String,
    count: u64,
    ms: u64,
}

#[derive(Deserialize)]
struct Bucket {
    series: String,
    bucket: u32,
    count: u64,
}

#[derive(Deserialize)]
struct Point {
    at: u64,
    kind: String,
    count: u64,
    amount: String,
}

#[derive(Deserialize)]
struct Lost {
    lost: u64,
}

pub async fn analytics(
    database: &impl Database,
    window: Window,
    top: u32,
    now: UnixMillis,
) -> Result<Value, DatabaseError> {
    let (span, from, series_span) = match window {
        Window::Today => (HOUR_MS, now.0 - now.0 % DAY_MS, HOUR_MS),
        Window::Week => (DAY_MS, (now.0 - now.0 % DAY_MS).saturating_sub(6 * DAY_MS), DAY_MS),
        Window::Overall => (EVER_MS, 0, DAY_MS),
    };
    let of = |sql| Statement::new(sql, [span.into(), from.into()]);
    let top = Statement::new(TENANTS, [span.into(), from.into(), u64::from(top).into()]);
    let series = Statement::new(SERIES, [series_span.into(), from.into()]);
    let lost = Statement::new(LOST, [from.into()]);
    let rows = database.run(vec![of(KINDS), of(REVENUE), top, of(CALLS), of(LATENCY), series, lost]).await?;
    let [kinds, revenue, tenants, calls, latency, series, lost] = &rows[..] else {
        return Err(DatabaseError("seven statements have another number of answers".to_owned()));
    };
    let kinds: BTreeMap<String, u64> =
        read::<Count>(kinds)?.into_iter().map(|Count { name, count }| (name, count)).collect();
    let revenue: Option<Revenue> = read(revenue)?.pop();
    let revenue = revenue.map(|it| json!({"amount": it.amount, "by_itself": it.own, "settled": it.count}));
    let count = |kind: &str| kinds.get(kind).copied().unwrap_or_default();
    let latencies = latencies(&read(latency)?);
    let lost = read::<Lost>(lost)?.first().map_or(0, |row| row.lost);
    let points = read::<Point>(series)?.into_iter();
    let points = points.map(|it| json!({"at_ms": it.at, "type": it.kind, "count": it.count, "amount": it.amount}));
    Ok(json!({
        "from_ms": from,
        "to_ms": now,
        "unit": "atomic units of the asset that prices are in",
        "events": kinds,
        "revenue": revenue,
        "funnel": {
            "received": count("received"),
            "offered": count("challenged"),
            "paid": count("payment_claimed"),
            "settled": count("payment_settled"),
            "handed_over": count("payment_handed_over"),
        },
        "limit_hits": count("limit_hit"),
        "tenants": read::<Value>(tenants)?,
        "facilitators": facilitators(read(calls)?, &latencies),
        "latency_ms": latencies,
        "series": points.collect::<Vec<_>>(),
        "lost_events": lost,
    }))
}

fn latencies(buckets: &[Bucket]) -> BTreeMap<String, Value> {
    let mut series: BTreeMap<&str, Vec<(u32, u64)>> = BTreeMap::new();
    for Bucket { series: name, bucket, count } in buckets {
        series.entry(name).or_default().push((*bucket, *count));
    }
    let told = |buckets: &[(u32, u64)]| {
        let [p50, p95, p99] = [50, 95, 99].map(|hundredth| percentile(buckets, hundredth));
        json!({"p50": p50, "p95": p95, "p99": p99})
    };
    series.into_iter().map(|(name, buckets)| (name.to_owned(), told(&buckets))).collect()
}

fn facilitators(calls: Vec<Call>, latencies: &BTreeMap<String, Value>) -> Value {
    let mut all: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for Call { facilitator, call, outcome, count, ms } in calls {
        let latency = latencies.get(&format!("{call}:{facilitator}"));
        let one = all.entry(facilitator).or_default().entry(call).or_insert_with(|| json!({"latency_ms": latency}));
        one[&outcome] = json!({"count": count, "mean_ms": ms.checked_div(count)});
    }
    json!(all)
}
