//! What was real in a run and what was a double, for the report: a verdict is worth what its world was.

use crate::scenario::Scenario;

#[must_use]
pub fn live(scenario: &Scenario) -> Vec<String> {
    let facilitators: Vec<_> = scenario.world().facilitators().iter().map(|name| name.as_str()).collect();
    let shared = "real: two dispatchers, each a wrangler dev (workerd) of its own; the second calls the Durable Objects of the \
                  first through wrangler's dev registry, which stands in for Cloudflare's routing to them";
    let shared = (scenario.world().dispatchers() > 1).then(|| shared.to_owned());
    [
        "real: the dispatcher's release wasm under wrangler dev (workerd), its Durable Objects and their storage",
        "real: HTTP over loopback sockets, EIP-712 signatures, wall-clock time",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(shared)
    .chain([
        format!("double: facilitators {} (signatures, windows and nonces are checked)", facilitators.join(", ")),
        "double: the chain, a ledger in memory that all facilitator doubles share".to_owned(),
        "double: the dispatch namespace; subrequest limits are enforced, CPU limits are recorded only".to_owned(),
        "double: the tenants' Workers".to_owned(),
    ])
    .collect()
}
