//! `402claw telemetry` and `402claw logs`: what a running dispatcher has kept of a tenant.

use crate::{
    args::{LogsArgs, TelemetryArgs},
    clock,
    exit::Exit,
    failure::Failure,
    money::Usdc,
    output::{Format, err, out, plain},
    platform::{Platform, escaped},
};
use dispatcher_core::tenant::is_id;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const FOLLOW: Duration = Duration::from_secs(2);

pub fn telemetry(args: &TelemetryArgs, format: Format) -> Result<Exit, Failure> {
    named(&args.tenant)?;
    let told = Platform::needed(&args.at)?.get(&format!("/__platform/tenants/{}", args.tenant))?;
    if format == Format::Json {
        out(&told.to_string());
        return Ok(Exit::Done);
    }
    for window in ["today", "week", "overall"] {
        let of = &told[window];
        let money = |key: &str| Usdc(of[key].as_str().and_then(|atomic| atomic.parse().ok()).unwrap_or_default());
        let (settled, revenue, own) = (&of["settled"], money("revenue"), money("by_itself"));
        out(&format!("{window:<8} {settled:>8} settled  {revenue:>12} USDC, and {own} by itself"));
        for (kind, count) in of["events"].as_object().into_iter().flatten() {
            out(&format!("         {count:>8} {}", plain(kind)));
        }
    }
    for code in told["codes_of_week"].as_array().into_iter().flatten() {
        let word = |key: &str| plain(code[key].as_str().unwrap_or_default());
        out(&format!("week     {:>8} {} {}", code["count"], word("type"), word("code")));
    }
    Ok(Exit::Done)
}

pub fn logs(args: &LogsArgs, format: Format) -> Result<Exit, Failure> {
    let platform = Platform::needed(&args.at)?;
    let mut query = format!("/__platform/events?limit={}", args.limit);
    if let Some(tenant) = &args.tenant {
        named(tenant)?;
        query.push_str(&format!("&tenant={tenant}"));
    }
    for (name, value) in [("type", &args.kind), ("since", &args.since)] {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", escaped(value)));
        }
    }
    let mut seen = BTreeSet::new();
    loop {
        let told = platform.get(&query)?;
        let mut events = told["events"].as_array().cloned().unwrap_or_default();
        // The newest come first, and a log has them last.
        events.reverse();
        for event in events {
            if seen.insert(event["id"].as_str().unwrap_or_default().to_owned()) {
                line(&event, format);
            }
        }
        if !args.follow {
            if told["next"].is_string() {
                err("there are more before these: --limit, or --since with a later time");
            }
            return Ok(Exit::Done);
        }
        crate::http::runtime()?.block_on(tokio::time::sleep(FOLLOW));
    }
}

fn line(event: &Value, format: Format) {
    if format == Format::Json {
        out(&event.to_string());
        return;
    }
    let of = &event["event"];
    let word = |value: &Value| value.as_str().map(plain).unwrap_or_default();
    let at = clock::rfc3339(event["at_ms"].as_u64().unwrap_or_default());
    let mut rest = Vec::new();
    for key in ["tenant_id", "route", "status", "code", "ms", "transaction", "request_id"] {
        match &of[key] {
            Value::Null => {}
            Value::String(text) => rest.push(plain(text)),
            other if key == "ms" => rest.push(format!("{other} ms")),
            other => rest.push(plain(&other.to_string())),
        }
    }
    out(&format!("{at}  {:<20} {}", word(&event["type"]), rest.join(" ")));
}

/// A tenant's id stands in a path.
pub fn named(tenant: &str) -> Result<(), Failure> {
    if is_id(tenant) { Ok(()) } else { Err(Failure::new(Exit::Usage, format!("{tenant:?} is not a tenant's id"))) }
}

/// The platform's word on a tenant, for `status`: its sales, its p95, its facilitators' breakers, what is open.
pub fn health(platform: &Platform, tenant: &str) -> Result<Value, Failure> {
    named(tenant)?;
    let sales = platform.get(&format!("/__platform/tenants/{tenant}"))?;
    let sold = platform.get(&format!("/__platform/events?limit=1000&tenant={tenant}&type=sold"))?;
    let times: Vec<u64> =
        sold["events"].as_array().into_iter().flatten().filter_map(|event| event["event"]["ms"].as_u64()).collect();
    let facilitators = platform.get("/__platform/facilitators")?;
    let breaker = |one: &Value| json!({"id": one["id"], "verify": one["verify"]["standing"], "settle": one["settle"]["standing"]});
    let breakers: Vec<Value> = facilitators["facilitators"].as_array().into_iter().flatten().map(breaker).collect();
    let open = platform.get("/__platform/open?limit=1000")?;
    let is_own = |one: &&Value| one["tenant_id"] == tenant || one["tenant"] == tenant;
    let open = open["open"].as_array().into_iter().flatten().filter(is_own).count();
    let p95 = crate::platform::percentile(&times, 95);
    Ok(json!({
        "today": sales["today"], "p95Ms": p95, "p95Of": times.len(), "breakers": breakers, "open": open,
    }))
}
