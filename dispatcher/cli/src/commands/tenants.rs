//! Commands about tenants that are there: list, show, status, override, quarantine, remove, export.

use super::{confirm, telemetry};
use crate::{
    args::{ExportArgs, OverrideArgs, QuarantineArgs, RemoveArgs, Shape, StatusArgs, TenantArgs},
    bill::Bill,
    clock,
    exit::Exit,
    failure::Failure,
    home::Home,
    http,
    money::Usdc,
    output::{self, Format, out},
    platform::Platform,
    registry::{Change, Registry, author},
    settlements,
    store::{FORMER_PLAN, Store},
};
use dispatcher_core::{directory::snapshot, plan::Plan, tenant::Available};
use serde_json::{Map, Value, json};
use std::{fs, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);

pub fn list(home: &Home, format: Format) -> Result<Exit, Failure> {
    let tenants = Store::open(home)?.load()?;
    let registry = &tenants.registry;
    if format == Format::Json {
        out(&json!({"version": registry.version, "tenants": registry.tenants}).to_string());
        return Ok(Exit::Done);
    }
    if registry.tenants.is_empty() {
        out("no tenants; `402claw deploy` makes one");
    }
    for record in &registry.tenants {
        let word = |value: &Value| output::plain(value.as_str().unwrap_or("-"));
        let deployed = tenants.about(record["id"].as_str().unwrap_or_default());
        let owner = word(&deployed["owner"]);
        out(&format!("{:<24} {:<11} {:<16} {owner}", word(&record["id"]), word(&record["plan"]), price(record)));
    }
    Ok(Exit::Done)
}

pub fn price(record: &Value) -> String {
    let atomic = record["price"]["amount"].as_str().and_then(|atomic| atomic.parse().ok());
    atomic.map_or("free".to_owned(), |atomic| format!("{} USDC", Usdc(atomic)))
}

pub fn show(args: &TenantArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let tenants = Store::open(home)?.load()?;
    let record = tenants.registry.expect(&args.tenant)?;
    let about = tenants.about(&args.tenant);
    let told = json!({"tenant": record, "deployment": about, "version": tenants.registry.version});
    out(&if format == Format::Json { told.to_string() } else { format!("{told:#}") });
    Ok(Exit::Done)
}

/// Tells what is known here, and what the dispatcher answers for nothing.
pub fn status(args: &StatusArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let tenants = Store::open(home)?.load()?;
    let registry = &tenants.registry;
    let record = registry.expect(&args.tenant)?;
    let plan: Option<Plan> = serde_json::from_value(record["plan"].clone()).ok();
    let settled = settlements::of(home, &args.tenant)?;
    let last: Vec<Value> = settled.iter().rev().take(5).map(|settled| json!(settled)).collect();
    let mut told = json!({
        "tenant": args.tenant,
        "registryVersion": registry.version,
        "deployment": tenants.about(&args.tenant),
        "price": price(record),
        "limits": plan.map(Plan::limits),
        "override": record.get("override"),
        "lastSettlements": last,
    });
    let mut exit = Exit::Done;
    if let Some(at) = &args.at {
        let asked = http::runtime()?.block_on(ask(at, &args.tenant, record, home))?;
        if asked["healthy"] != json!(true) {
            exit = Exit::Failed;
        }
        told["api"] = asked;
        if let Some(platform) = Platform::at(at)? {
            told["platform"] = telemetry::health(&platform, &args.tenant)?;
        }
    }
    out(&if format == Format::Json { told.to_string() } else { format!("{told:#}") });
    Ok(exit)
}

async fn ask(at: &str, tenant: &str, record: &Value, home: &Home) -> Result<Value, Failure> {
    let client = http::client(PATIENCE)?;
    let base = format!("{}/t/{tenant}", at.trim_end_matches('/'));
    let began = clock::unix_ms();
    let is_data = record["freePaths"].is_array();
    let path = if is_data { dataset::api::RECORDS } else { "/" };
    let response = match client.get(format!("{base}{path}")).send().await {
        Err(error) => return Ok(json!({"healthy": false, "why": http::told(&error)})),
        Ok(response) => response,
    };
    let status = response.status().as_u16();
    let offer = response.headers().get("payment-required").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let took = clock::unix_ms().saturating_sub(began);
    let offered = Bill::read(offer.as_deref(), home.environment.network()).map(|bill| bill.price.to_string());
    let wanted = if record["price"].is_null() { 200 } else { 402 };
    let mut told = json!({"status": status, "ms": took, "offer": offered.ok(), "healthy": status == wanted});
    if is_data && let Ok(response) = client.get(format!("{base}{}", dataset::api::SCHEMA)).send().await {
        let schema =
            http::body(response).await.and_then(|body| serde_json::from_slice::<Value>(&body).ok()).unwrap_or_default();
        told["version"] = schema["version"].clone();
        told["rows"] = schema["rows"].clone();
    }
    Ok(told)
}

/// Changes one record, under the lock.
fn change(
    home: &Home,
    tenant: &str,
    told: (&str, Option<&str>, Option<&str>),
    with: impl FnOnce(&mut Map<String, Value>, &mut Value),
) -> Result<Registry, Failure> {
    let store = Store::open(home)?;
    let edit = store.begin()?;
    let mut record = edit.tenants.registry.expect(tenant)?.clone();
    let mut about = edit.tenants.about(tenant);
    if let Value::Object(record) = &mut record {
        with(record, &mut about);
    }
    let (what, by, reason) = told;
    let author = author(by);
    let available = available(home, &edit.tenants.registry);
    let tenants = edit.put(record, &about, &available, &Change { what, tenant, author: &author, reason })?;
    Ok(tenants.registry)
}

/// Facilitators that records name were checked when they were deployed.
pub fn available(home: &Home, registry: &Registry) -> Available {
    let named = registry.tenants.iter().filter_map(|record| record["facilitators"].as_array()).flatten();
    let mut names: Vec<String> = named.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    names.sort_unstable();
    names.dedup();
    Available { network: home.environment.network(), facilitators: names.into() }
}

pub fn override_limits(args: &OverrideArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let by = author(args.author.as_deref());
    let what = if args.lift { "lift override" } else { "override" };
    let registry = change(home, &args.tenant, (what, Some(&by), args.reason.as_deref()), |record, _| {
        if args.lift {
            record.remove("override");
        } else {
            let limits = json!({
                "cpuMs": args.cpu_ms, "subRequests": args.subrequests, "reason": args.reason, "author": by, "expires": args.expires,
            });
            record.insert("override".to_owned(), limits);
        }
    })?;
    done(&registry, &args.tenant, format, "counts once the directory is published");
    Ok(Exit::Done)
}

fn done(registry: &Registry, tenant: &str, format: Format, then: &str) {
    match format {
        Format::Json => out(&json!({"version": registry.version, "tenant": registry.tenant(tenant)}).to_string()),
        Format::Text => out(&format!("registry version {}: {then}", registry.version)),
    }
}

/// At a dispatcher it counts within seconds; in the record it is the plan that lets nothing run.
pub fn quarantine(args: &QuarantineArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let doing = if args.lift { "bring back" } else { "put into quarantine" };
    confirm(&format!("{doing} {}", args.tenant), args.yes || args.lift)?;
    let by = author(args.author.as_deref());
    if let Some(at) = &args.at {
        return http::runtime()?.block_on(quarantine_at(args, at, &by, format));
    }
    let what = if args.lift { "lift quarantine" } else { "quarantine" };
    let registry = change(home, &args.tenant, (what, Some(&by), args.reason.as_deref()), |record, about| {
        let now = record["plan"].clone();
        if !args.lift {
            if now != "quarantine" {
                // The plan that it goes back to.
                about[FORMER_PLAN] = now;
            }
            record.insert("plan".to_owned(), json!("quarantine"));
        } else if now == "quarantine" {
            let former = about[FORMER_PLAN].as_str().unwrap_or("pro");
            record.insert("plan".to_owned(), json!(former));
        }
    })?;
    done(&registry, &args.tenant, format, "counts once the directory is published; --at URL counts within seconds");
    Ok(Exit::Done)
}

async fn quarantine_at(args: &QuarantineArgs, at: &str, by: &str, format: Format) -> Result<Exit, Failure> {
    telemetry::named(&args.tenant)?;
    let platform = Platform::needed(at)?;
    let url = platform.url(&format!("/__platform/tenants/{}/quarantine", args.tenant));
    let client = http::client(PATIENCE)?;
    let request = match args.lift {
        true => client.delete(url),
        false => client.post(url).body(json!({"reason": args.reason, "author": by}).to_string()),
    };
    let failed = |why: String| Failure::new(Exit::Failed, format!("the dispatcher {why}"));
    let response = request
        .bearer_auth(platform.token())
        .send()
        .await
        .map_err(|error| failed(format!("does not answer: {}", http::told(&error))))?;
    let status = response.status();
    let body = String::from_utf8_lossy(&http::body(response).await.unwrap_or_default()).into_owned();
    if !status.is_success() {
        return Err(failed(format!("answers {status}: {}", output::plain(&body))));
    }
    out(&if format == Format::Json { body } else { output::lines(&body) });
    Ok(Exit::Done)
}

/// Takes a tenant out of the registry; what callers have paid for they can still collect.
pub fn remove(args: &RemoveArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let store = Store::open(home)?;
    let record = store.load()?.registry.expect(&args.tenant)?.clone();
    if record["price"]["paymentFlow"] == "upfront" && record["plan"] != "quarantine" {
        let what = format!("{} is paid upfront, so its callers may be owed what they have paid for", args.tenant);
        let help =
            format!("first `402claw quarantine {} --reason leaving`, and remove it once nothing is owed", args.tenant);
        return Err(Failure::invalid(what).help(help));
    }
    confirm(&format!("remove {} and what it sells", args.tenant), args.yes)?;
    let edit = store.begin()?;
    let author = author(None);
    let change = Change { what: "remove", tenant: &args.tenant, author: &author, reason: None };
    let available = available(home, &edit.tenants.registry);
    let registry = edit.remove(&args.tenant, &available, &change)?.registry;
    let folder = home.scripts().join(&args.tenant);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Failure::file("taking away", &folder, &error))?;
    }
    done(&registry, &args.tenant, format, "removed; it counts once the directory is published");
    Ok(Exit::Done)
}

pub fn export(args: &ExportArgs, home: &Home) -> Result<Exit, Failure> {
    let registry = Store::open(home)?.load()?.registry;
    let available = available(home, &registry);
    registry.check(&available)?;
    let told = match args.shape {
        Shape::Tenants => registry.directory(),
        Shape::Maps => maps(&registry),
        Shape::Snapshot => {
            let entries = snapshot::publish(registry.version.max(1), &registry.directory().to_string(), &available);
            let entries = entries.map_err(|error| Failure::invalid(error.to_string()))?;
            let hex = |bytes: &[u8]| x402_protocol::hex::encode(bytes);
            let entry = |(key, value): (String, Vec<u8>)| match String::from_utf8(value) {
                Ok(text) => json!({"key": key, "value": text}),
                Err(bytes) => json!({"key": key, "hex": hex(bytes.as_bytes())}),
            };
            entries.into_iter().map(entry).collect()
        }
    };
    out(&format!("{told:#}"));
    Ok(Exit::Done)
}

fn maps(registry: &Registry) -> Value {
    let (mut by_host, mut by_slug) = (Map::new(), Map::new());
    for record in &registry.tenants {
        let mut plain = record.clone();
        let (mut hosts, mut slug) = (Value::Null, Value::Null);
        if let Value::Object(plain) = &mut plain {
            hosts = plain.remove("hosts").unwrap_or_default();
            slug = plain.remove("slug").unwrap_or_default();
        }
        for host in hosts.as_array().into_iter().flatten().filter_map(Value::as_str) {
            by_host.insert(host.to_owned(), plain.clone());
        }
        if let Some(slug) = slug.as_str() {
            by_slug.insert(slug.to_owned(), plain);
        }
    }
    json!({"byHost": by_host, "bySlug": by_slug})
}
