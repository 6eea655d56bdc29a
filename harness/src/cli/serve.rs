//! `harness serve`: the world to start and leave running.

use super::FormatArgs;
use crate::serve::{self, Environment};
use clap::{Args, value_parser};
use scenario::{Tenant, limits::MAX_FACILITATORS};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port of the dispatcher on loopback; any free one unless given
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Scenario whose world to start; its traffic and faults are left out
    #[arg(long, value_name = "NAME", default_value = "outage")]
    pub world: String,
    /// A tenant to serve instead of a scenario's: its price is in USDC, and without one it is free. Can be repeated
    #[arg(long = "tenant", value_name = "ID:PLAN[:PRICE]", conflicts_with = "world", value_parser = serve::tenant)]
    pub tenants: Vec<Tenant>,
    /// Folder of Workers of yours to serve instead: a .js, .mjs or .ts file, or a folder, each. Its `tenant.json` may say
    /// {"plan": "pro", "price": "0.01", "hosts": ["shop.example"]}. Saving a file is a deploy
    #[arg(long = "tenants", value_name = "DIR", conflicts_with_all = ["world", "tenants"])]
    pub workers: Option<PathBuf>,
    /// The environment: `test` is Base Sepolia, `prod` is Base
    #[arg(long, value_enum, default_value_t = Environment::Test, conflicts_with = "world")]
    pub env: Environment,
    /// How many facilitator doubles to start instead of a scenario's
    #[arg(long, value_name = "N", conflicts_with_all = ["world", "facilitator_urls"], value_parser = value_parser!(u8).range(1..=MAX_FACILITATORS as i64))]
    pub facilitators: Option<u8>,
    /// Ports of the doubles on loopback, primary first; any free one for those beyond the last
    #[arg(long, value_name = "N", value_delimiter = ',', conflicts_with = "facilitator_urls", value_parser = value_parser!(u16).range(1..))]
    pub facilitator_ports: Vec<u16>,
    /// A fault that is on from the start: 'primary settle settle-then-hang'. Can be repeated; `harness fault` switches others
    #[arg(long = "fault", value_name = "WORDS", conflicts_with = "facilitator_urls")]
    pub faults: Vec<String>,
    /// Keeps events as production does, in a queue and a database of this machine: `/__platform/events` and its like answer
    #[arg(long)]
    pub telemetry: bool,
    /// A variable of the Worker that keeps them, such as a webhook's URL
    #[arg(long = "telemetry-var", value_name = "NAME=VALUE", requires = "telemetry", value_parser = named_value)]
    pub telemetry_vars: Vec<(String, String)>,
    /// Facilitators to use in place of the doubles, primary first
    #[arg(long, env = "X402_FACILITATOR_URL", value_name = "URL", value_delimiter = ',', value_parser = serve::facilitator_url)]
    pub facilitator_urls: Vec<String>,
    /// Nodes of the chain that the dispatcher asks about settlements that nobody can clear up, the first asked first; the
    /// doubles' own unless given, and none beside facilitators of yours
    #[arg(long, visible_alias = "chain-rpc-url", env = "X402_NODE_URL", value_name = "URL", value_delimiter = ',', value_parser = serve::node_url)]
    pub node_urls: Vec<String>,
    #[command(flatten)]
    pub print: FormatArgs,
}

fn named_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no =, as in NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
