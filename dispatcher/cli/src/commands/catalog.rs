//! `402claw catalog`: every tenant, its price and how to buy from it.

use super::tenants::price;
use crate::{
    args::CatalogArgs,
    exit::Exit,
    failure::Failure,
    home::Home,
    output::{Format, out, plain},
    site,
    store::Store,
};
use serde_json::{Value, json};
use std::fs;

pub fn catalog(args: &CatalogArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let registry = Store::open(home)?.load()?.registry;
    let entries: Vec<Value> = registry.tenants.iter().map(|record| entry(record, args, home)).collect();
    match (args.html, format) {
        (true, _) => out(&page(&entries)),
        (false, Format::Json) => out(&json!({ "tenants": entries }).to_string()),
        (false, Format::Text) => {
            for entry in &entries {
                let word = |name: &str| plain(entry[name].as_str().unwrap_or_default());
                out(&format!(
                    "{:<24} {:<16} {}\n    {}",
                    word("name"),
                    word("price"),
                    word("description"),
                    word("buy")
                ));
            }
        }
    }
    Ok(Exit::Done)
}

fn entry(record: &Value, args: &CatalogArgs, home: &Home) -> Value {
    let id = record["id"].as_str().unwrap_or_default();
    let host = record["hosts"][0].as_str().map(|host| format!("https://{host}"));
    let base = host.unwrap_or_else(|| format!("{}/t/{id}", args.at.trim_end_matches('/')));
    // What the tenant itself serves: it may have none, being a Worker of its own.
    let site = fs::read(home.scripts().join(id).join("site.txt")).ok();
    let site: dataset::api::Site = site.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let openapi = site.get(site::OPENAPI).and_then(|document| serde_json::from_str::<Value>(&document.body).ok());
    let schema = openapi.as_ref().map(|openapi| openapi["components"]["schemas"]["Record"].clone());
    let path = if openapi.is_some() { dataset::api::RECORDS } else { "/" };
    json!({
        "name": id,
        "description": record["price"]["description"],
        "price": price(record),
        "network": record["price"]["network"],
        "url": format!("{base}{path}"),
        "openapi": openapi.map(|_| format!("{base}{}", site::OPENAPI)),
        "record": schema,
        "buy": format!("402claw call '{base}{path}'"),
    })
}

fn page(entries: &[Value]) -> String {
    let rows: String = entries
        .iter()
        .map(|entry| {
            let word = |name: &str| escaped(entry[name].as_str().unwrap_or_default());
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
                word("name"),
                word("price"),
                word("description"),
                word("buy")
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Catalogue</title>\n<style>body{{font:16px/1.5 system-ui;margin:2rem;color-scheme:light dark}}th,td{{text-align:left;\
         padding:.25rem 1rem .25rem 0;vertical-align:top}}</style>\n<h1>Catalogue</h1>\n<table>\n<thead><tr><th scope=\"col\">Name</th>\
         <th scope=\"col\">Price</th><th scope=\"col\">What it is</th><th scope=\"col\">Buy</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n</html>"
    )
}

fn escaped(text: &str) -> String {
    plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_description_gets_out_of_its_cell() {
        let page =
            page(&[json!({"name": "a", "description": "<script>alert(1)</script>", "price": "free", "buy": "\"x\""})]);
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;") && page.contains("&quot;x&quot;"));
    }
}
