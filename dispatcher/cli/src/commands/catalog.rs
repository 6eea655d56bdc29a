//! `402claw catalog`: every tenant, its price and how to buy from it. The dispatcher's own catalogue is made by the same code; here
//! stands what is free, too, and what wants to be hidden there.

use super::tenants::available;
use crate::{
    args::CatalogArgs,
    exit::Exit,
    failure::Failure,
    home::Home,
    output::{Format, out, plain},
    site,
    store::Store,
};
use dispatcher_core::{
    catalogue::{self, Entry, page::page},
    directory::Directory,
    tenant::Available,
};
use serde_json::{Value, json};
use std::fs;

pub fn catalog(args: &CatalogArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let registry = Store::open(home)?.load()?.registry;
    let available = available(home, &registry);
    let entries = registry.tenants.iter().map(|record| entry(record, args, home, &available));
    let entries: Vec<Entry> = entries.collect::<Result<_, _>>()?;
    match (args.html, format) {
        (true, _) => out(&page(&entries, None)),
        (false, Format::Json) => out(&catalogue::document(&entries, None).to_string()),
        (false, Format::Text) => {
            for Entry { name, price, description, buy, .. } in &entries {
                let description = description.as_deref().unwrap_or_default();
                out(&format!("{:<24} {:<16} {}\n    {}", plain(name), plain(price), plain(description), plain(buy)));
            }
        }
    }
    Ok(Exit::Done)
}

fn entry(record: &Value, args: &CatalogArgs, home: &Home, available: &Available) -> Result<Entry, Failure> {
    let id = record["id"].as_str().unwrap_or_default();
    // What the tenant itself serves: it may have none, being a Worker of its own.
    let site = fs::read(home.scripts().join(id).join("site.txt")).ok();
    let site: dataset::api::Site = site.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let openapi = site.get(site::OPENAPI).and_then(|document| serde_json::from_str::<Value>(&document.body).ok());
    let mut record = record.clone();
    let path = record["catalogue"]["path"].as_str().or(openapi.as_ref().map(|_| dataset::api::RECORDS)).unwrap_or("/");
    record["catalogue"] = json!({ "path": path });
    let directory = Directory::from_json(&json!({ "tenants": [record] }).to_string(), available);
    let wrong = |why: String| Failure::new(Exit::Failed, format!("the registry's record of {id:?} is wrong: {why}"));
    let directory = directory.map_err(|error| wrong(error.to_string()))?;
    let shown = directory.shown().find_map(|(key, tenant)| Entry::of(tenant, key, &args.at));
    let why = || directory.left_out().first().map_or("it has no name".to_owned(), ToString::to_string);
    let mut entry = shown.ok_or_else(|| wrong(why()))?;
    if let Some(openapi) = openapi {
        entry.response.schema = Some(openapi["components"]["schemas"]["Record"].clone());
    }
    Ok(entry)
}
