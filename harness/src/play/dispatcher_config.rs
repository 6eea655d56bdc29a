//! What a scenario's dispatcher and facilitator doubles are told of their world, in either tier.

use crate::directory;
use doubles::{Chain, FaultSpec, Repeat, TOKEN_KEY_ID, Terms, TokenDesk, Wants};
use scenario::{Kill, Name, Scenario, Shards};
use serde_json::json;
use std::collections::BTreeMap;
use traffic::Payers;
use x402_protocol::{Network, network::UnknownNetwork};

/// The dispatcher's variable that says how many shards its settlement ledger has.
pub const LEDGER_SHARDS: &str = "LEDGER_SHARDS";

/// The scenario's network, as the protocol knows it.
pub fn network(scenario: &Scenario) -> Result<Network, UnknownNetwork> {
    scenario.world().network().to_string().parse()
}

/// How the facilitator's double differs from one that serves everybody everything.
#[must_use]
pub fn terms(scenario: &Scenario, facilitator: &str, keys: &BTreeMap<String, String>, seed: u64) -> Terms {
    let lists_only = scenario.world().lists_other_networks(facilitator).then_some(ANOTHER_NETWORK);
    let repeats = Repeat::of(scenario.world().repeats(), seed, facilitator);
    let secret = keys.get(&key_name(facilitator));
    let wants = match (scenario.world().wants_token(facilitator), secret) {
        (Some(algorithm), Some(secret)) => Wants::Tokens(TokenDesk::of(algorithm, secret)),
        (None, Some(key)) => Wants::Key(key.clone()),
        _ => Wants::Nothing,
    };
    Terms { wants, lists_only, repeats, port: None }
}

/// The dispatcher's secret that names the nodes.
#[must_use]
pub fn node_secret(urls: &[String]) -> (String, String) {
    ("CHAIN_RPC_URLS".to_owned(), json!(urls).to_string())
}

/// Leaves the wallets without money that are to have none, and has everybody allow the Permit2 contract.
pub fn fund(chain: &Chain, network: Network, payers: &Payers) {
    chain.approve_by_all();
    for payer in payers.poor() {
        chain.set_balance(network, payer, 0);
    }
}

/// The faults on one facilitator.
#[must_use]
pub fn faults(scenario: &Scenario, facilitator: &str, seed: u64) -> Vec<FaultSpec> {
    let on_it = scenario.faults().iter().filter(|fault| fault.on().as_str() == facilitator);
    on_it.map(|fault| fault.spec(seed)).collect()
}

/// A chain that no scenario charges on.
const ANOTHER_NETWORK: &str = "eip155:1";

/// The dispatcher's secrets: what facilitators want as their API keys, or what their tokens are signed with.
#[must_use]
pub fn keys(scenario: &Scenario, mut secret: impl FnMut() -> String) -> BTreeMap<String, String> {
    let facilitators = scenario.world().facilitators().iter().map(Name::as_str);
    let world = scenario.world();
    let secret_of = |name| match (world.wants_token(name), world.wants_key(name)) {
        (Some(algorithm), _) => Some((key_name(name), TokenDesk::draw_secret(algorithm, &secret()))),
        (None, true) => Some((key_name(name), secret())),
        (None, false) => None,
    };
    facilitators.filter_map(secret_of).collect()
}

fn key_name(facilitator: &str) -> String {
    format!("KEY_OF_{}", facilitator.to_uppercase().replace('-', "_"))
}

/// The dispatcher's variables. Each facilitator is an id and a URL.
#[must_use]
pub fn vars(scenario: &Scenario, network: Network, facilitators: &[(String, String)]) -> BTreeMap<String, String> {
    let world = scenario.world();
    let facilitator = |(id, url): &(String, String)| {
        let headers = match (world.wants_token(id), world.wants_key(id)) {
            (Some(algorithm), _) => {
                let jwt = json!({"keyId": TOKEN_KEY_ID, "secret": key_name(id), "algorithm": algorithm});
                vec![json!({"name": "Authorization", "jwt": jwt})]
            }
            (None, true) => vec![json!({"name": "X-API-Key", "secret": key_name(id)})],
            (None, false) => Vec::new(),
        };
        json!({
            "id": id,
            "url": url,
            "headers": headers,
            "verifyTimeoutMs": world.verify_timeout().as_millis() as u64,
            "settleTimeoutMs": world.settle_timeout().as_millis() as u64,
        })
    };
    let facilitators: Vec<_> = facilitators.iter().map(facilitator).collect();
    // Of those that are stored, the configuration knows nothing.
    let configured = world.listed().filter(|_| !world.stores_directory());
    let environment = if network == Network::Base { "prod" } else { "test" };
    let shards = scenario.kills().iter().find_map(Kill::raises).map(|shards| shards.before);
    let shards = shards.or(world.shards()).map(|count| count.to_string());
    let shards = shards.map(|shards| (LEDGER_SHARDS.to_owned(), shards));
    let fixed = [
        ("ENVIRONMENT".to_owned(), environment.to_owned()),
        ("TENANT_DIRECTORY".to_owned(), directory::directory_of(configured, network).to_string()),
        ("FACILITATORS".to_owned(), json!(facilitators).to_string()),
        // No node, in place of the deployment's: a run reaches nothing beyond this machine.
        ("CHAIN_RPC_URLS".to_owned(), "[]".to_owned()),
        ("ACCEPT_UNRESOLVED".to_owned(), "true".to_owned()),
        ("CPU_LIMIT_POLICY".to_owned(), world.cpu_limit_policy().as_str().to_owned()),
        ("DASHBOARD_HOST".to_owned(), facts::hosts::DASHBOARD_HOST.to_owned()),
    ];
    fixed.into_iter().chain(shards).collect()
}

/// The variable's value once the number of shards is raised.
#[must_use]
pub fn raised(shards: Shards, unix_ms: u64) -> String {
    json!({"count": shards.count, "before": shards.before, "changedAtMs": unix_ms}).to_string()
}
