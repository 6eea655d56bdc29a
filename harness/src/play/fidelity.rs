//! What was real in a run and what was a double, for the report: a verdict is worth what its world was.

use scenario::{Scenario, Tier};

#[must_use]
pub fn of(scenario: &Scenario, tier: Tier) -> Vec<String> {
    match tier {
        Tier::Live => live(scenario),
        Tier::Sim => simulated(scenario),
    }
}

fn simulated(scenario: &Scenario) -> Vec<String> {
    let facilitators: Vec<_> = scenario.world().facilitators().iter().map(|name| name.as_str()).collect();
    [
        "real: the dispatcher's core, compiled for this machine, and EIP-712 signatures".to_owned(),
        format!("real: the facilitator doubles {} of the live tier, down to their bytes", facilitators.join(", ")),
        "simulated: time, the network, Durable Objects and their storage, crashes; all from one seed".to_owned(),
        "simulated: the dispatch namespace, with CPU, subrequest and memory limits, and the tenants' Workers"
            .to_owned(),
        "not run: the Worker's adapters, its wasm, workerd, wrangler; that is what the live tier is for".to_owned(),
    ]
    .into()
}

fn live(scenario: &Scenario) -> Vec<String> {
    let facilitators: Vec<_> = scenario.world().facilitators().iter().map(|name| name.as_str()).collect();
    let shared = "real: two dispatchers, each a wrangler dev (workerd) of its own; the second calls the Durable Objects of the \
                  first through wrangler's dev registry, which stands in for Cloudflare's routing to them";
    let location = "double: the location's rate limiting counters, exact and in windows of ten seconds; Miniflare's own would \
                    count for each dispatcher alone";
    let several = scenario.world().dispatchers() > 1;
    let shared = [shared, location].map(str::to_owned).into_iter().filter(move |_| several);
    [
        "real: the dispatcher's release wasm under wrangler dev (workerd), its Durable Objects and their storage",
        "real: HTTP over loopback sockets, EIP-712 signatures, wall-clock time",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(shared)
    .chain(match scenario.world().is_official() {
        true => [
            format!("real: facilitators {}, the official library over viem", facilitators.join(", ")),
            "double: the chain, a ledger in memory behind a node that answers viem's calls".to_owned(),
        ],
        false => [
            format!("double: facilitators {} (signatures, windows and nonces are checked)", facilitators.join(", ")),
            "double: the chain, a ledger in memory that all facilitator doubles share".to_owned(),
        ],
    })
    .chain([
        "double: the dispatch namespace; a workerd process for each invocation at a time, killed once it has used up its CPU \
         limit or holds more than an isolate may; every subrequest is counted, redirect hops too; a script's CPU time includes \
         what its process spends on HTTP, its memory garbage and the runtime's copies"
            .to_owned(),
        "double: the tenants' Workers, and whatever they ask of the outside".to_owned(),
    ])
    .chain(scenario.world().confines_egress().then(|| {
        "real: the outbound Worker's release wasm under workerd; double: the outside behind it, where every host answers".to_owned()
    }))
    .chain(scenario.world().stores_directory().then(|| {
        "double: the key-value store of the tenant directory, behind workerd's own binding; it has no edge cache, so a write \
         shows at once"
            .to_owned()
    }))
    .collect()
}
