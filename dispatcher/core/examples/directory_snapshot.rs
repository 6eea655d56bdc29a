//! Turns a registry (`{"tenants": [...]}` on standard input) into a snapshot for Workers KV: two files for `wrangler kv bulk
//! put`, to be put in this order, for `current.json` is what makes the other one count.

use base64::{Engine, prelude::BASE64_STANDARD};
use dispatcher_core::{directory::snapshot, paywall::facilitator::Facilitators, protocol::Network, tenant::Available};
use serde_json::json;
use std::{collections::BTreeMap, error::Error, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: directory_snapshot <version> <prod or test> [FACILITATORS as JSON] < registry.json";
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (version, network) = match &args[..] {
        [version, environment, ..] if environment == "prod" => (version, Network::Base),
        [version, environment, ..] if environment == "test" => (version, Network::BaseSepolia),
        _ => return Err(usage.into()),
    };
    let facilitators = args.get(2).map_or("[]", String::as_str);
    let ids = Facilitators::from_json(facilitators, &BTreeMap::new())?.ids();
    let available = Available { network, facilitators: ids.into() };
    let registry = io::read_to_string(io::stdin()).map_err(|error| format!("the registry cannot be read: {error}"))?;
    let published = snapshot::publish(version.parse()?, &registry, &available);
    let entries = published.map_err(|error| format!("the registry on standard input: {error}"))?;
    let [snapshot @ .., current] = &entries[..] else { unreachable!("a snapshot names itself") };
    let bulk = |entries: &[(String, Vec<u8>)]| {
        let entry = |(key, value): &(String, Vec<u8>)| json!({"key": key, "value": BASE64_STANDARD.encode(value), "base64": true});
        json!(entries.iter().map(entry).collect::<Vec<_>>()).to_string()
    };
    fs::write("snapshot.json", bulk(snapshot))?;
    fs::write("current.json", bulk(std::slice::from_ref(current)))?;
    println!("snapshot.json has {} keys; put it first, and current.json last", snapshot.len());
    Ok(())
}
