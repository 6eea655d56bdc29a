//! `harness explain`: a scenario's story in words, for whoever meets it in a report or reads the file for the first time.
//! Says what the file says, in the order of time, and nothing that only a run can know.

mod directory;
mod fault;
mod kill;
mod ledger;
mod operator;
mod telemetry;
mod words;

use dispatcher_core::egress::HostPattern;
use scenario::{
    AddressesIn, ClientKind, CpuLimitPolicy, Node, Pick, Rates, Scenario, Tenant, Traffic, When, World, show,
};
use serde_json::{Value, json};
use std::time::Duration;
use words::{Story, list};
use x402_protocol::{PaymentFlow, v2::IdentifierRule};

/// The text to print.
#[must_use]
pub fn render(scenario: &Scenario) -> String {
    let mut story = Story::default();
    story.say("", &format!("{}: {}", scenario.id(), scenario.title()));
    if let Some(why) = scenario.why() {
        story.say("", &format!("Why: {why}"));
    }
    let tags = if scenario.tags().is_empty() { String::new() } else { format!("; tags {}", list(scenario.tags())) };
    story.say("", &format!("Profile {}{tags}", scenario.profile().as_str()));

    story.head("Who is there");
    who(scenario.world(), &mut story);
    story.head(&format!("What happens, in {}", show(scenario.end())));
    timeline(scenario, &mut story);
    story.head("What must hold");
    let named = || scenario.musts().iter().filter(|must| !must.is_baseline());
    let width = named().map(|must| must.id().len()).max().unwrap_or(0);
    for must in named() {
        story.say(&format!("  {:width$}  ", must.id()), &must.checker().expects());
    }
    let baseline = scenario.musts().iter().filter(|must| must.is_baseline()).count();
    story.say("  ", &format!("and {baseline} rules that hold everywhere, wherever there is something to judge by"));
    for without in scenario.without() {
        story.say("  ", &format!("without {}: {}", without.rule(), without.why()));
    }
    story.head("What chance decides");
    for chance in chances(scenario) {
        story.say("  ", &chance);
    }
    story.text
}

/// For programs: the head of the file, and the story as it is told, a line each.
#[must_use]
pub fn as_json(scenario: &Scenario, told: &str) -> Value {
    json!({
        "scenario": scenario.id().as_str(),
        "title": scenario.title(),
        "why": scenario.why(),
        "profile": scenario.profile().as_str(),
        "tags": scenario.tags().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lasts_s": scenario.end().as_secs(),
        "must": scenario.musts().iter().map(|must| must.id()).collect::<Vec<_>>(),
        "told": told.lines().collect::<Vec<_>>(),
    })
}

fn who(world: &World, story: &mut Story) {
    if world.dispatchers() > 1 {
        story.say("  ", &format!("{} dispatchers, used in turn, with one settlement ledger", world.dispatchers()));
    }
    for (n, name) in world.facilitators().iter().enumerate() {
        let place = match (n, world.facilitators().len()) {
            (_, 1) => "the only one".to_owned(),
            (0, _) => "asked first".to_owned(),
            _ => format!("asked where {} cannot serve", list(&world.facilitators()[..n])),
        };
        let key = if world.wants_key(name.as_str()) { "; wants an API key" } else { "" };
        let token = if world.wants_token(name.as_str()).is_some() { "; wants a token made for each call" } else { "" };
        let lists = if world.lists_other_networks(name.as_str()) { "; lists other networks as supported" } else { "" };
        let whose = if world.is_official() { "official facilitator" } else { "facilitator" };
        story.say("  ", &format!("{whose} {name}: {place}{key}{token}{lists}"));
    }
    for node in world.nodes() {
        story.say("  ", &format!("a node of the chain, which the dispatcher may ask: {}", node_kind(*node)));
    }
    for one in world.tenants() {
        let later = if world.listed().any(|listed| listed == one) { "" } else { "; not in the directory at first" };
        story.say("  ", &(tenant(one) + later));
    }
    if world.stores_directory() {
        story.say("  ", "the dispatcher has its tenants from snapshots in key-value storage");
    }
    if world.cpu_limit_policy() == CpuLimitPolicy::Quarantine {
        story
            .say("  ", "a tenant that runs out of CPU time five times in a row is put into quarantine for ten minutes");
    }
    let (verify, settle) = (show(world.verify_timeout()), show(world.settle_timeout()));
    story.say(
        "  ",
        &format!("the dispatcher waits {verify} for /verify and {settle} for /settle, on {}", world.network()),
    );
}

fn node_kind(node: Node) -> String {
    match node {
        Node::Honest => "it says what is so".to_owned(),
        Node::Lagging(blocks) => format!("it is {blocks} blocks behind"),
        Node::Narrow(range) => format!("it looks for events in {range} blocks at a time"),
        Node::Lying => "it says that every authorization was used".to_owned(),
        Node::Refusing => "it answers with errors".to_owned(),
        Node::Pruned(blocks) => format!("it knows the last {blocks} blocks alone"),
        Node::Slow(by) => format!("it answers {} late", show(by)),
        Node::OtherChain => "it is on another chain".to_owned(),
        Node::Reverted => "it shows transactions that failed".to_owned(),
        Node::Forked => "it shows events that were taken back".to_owned(),
    }
}

fn tenant(tenant: &Tenant) -> String {
    let mut said = format!("tenant {}, plan {}: ", tenant.id(), tenant.plan().as_str());
    let Some(price) = tenant.price() else { return said + "free" + &bounds(tenant) };
    said += &format!("{price} USDC a request");
    said += match tenant.flow() {
        PaymentFlow::Authorization => "",
        PaymentFlow::Upfront => ", paid before it runs",
    };
    said += match tenant.identifier() {
        IdentifierRule::Required => ", each under a payment-identifier",
        IdentifierRule::Optional => "",
        IdentifierRule::Off => ", never under a payment-identifier",
    };
    if tenant.seller() != tenant.id() {
        said += &format!(", paid to {}", tenant.seller());
    }
    if let Some(own) = tenant.facilitators() {
        said += &format!(", by way of {} alone", list(own));
    }
    said + &bounds(tenant)
}

/// At which rates it is called, and what it may call, where its record says.
fn bounds(tenant: &Tenant) -> String {
    let mut said = String::new();
    if let Some(Rates { tenant, payer, address }) = tenant.rates() {
        said += &format!("; in ten seconds {tenant} runs, {payer} of a payer and {address} of an address");
    }
    if let Some(egress) = tenant.egress() {
        let names = |hosts: &[HostPattern]| hosts.iter().cloned().map(String::from).collect::<Vec<_>>().join(", ");
        said += "; its Worker may ask ";
        said += &egress.allow.as_deref().map_or_else(
            || "every public host".to_owned(),
            |hosts| match hosts {
                [] => "nobody".to_owned(),
                hosts => names(hosts),
            },
        );
        if !egress.deny.is_empty() {
            said += &format!(", but not {}", names(&egress.deny));
        }
    }
    said
}

/// Everything that begins or ends, by its moment.
fn timeline(scenario: &Scenario, story: &mut Story) {
    let mut moments: Vec<(Duration, String)> = Vec::new();
    let mut then = |at: Duration, what: String| moments.push((at, what));
    // What ends at a moment is told before what begins.
    for fault in scenario.faults() {
        then(fault.window().to(), fault::ends(fault));
    }
    for block in scenario.traffic().iter().filter(|block| block.window().to() < scenario.end()) {
        then(block.window().to(), format!("{} stop coming", block.name()));
    }
    then(scenario.end(), "the run ends; callers only collect what they have paid for".to_owned());
    for phase in scenario.timeline().phases() {
        then(phase.window().from(), format!("phase {} begins", phase.name()));
    }
    for block in scenario.traffic() {
        then(block.window().from(), traffic(block));
    }
    for fault in scenario.faults() {
        then(fault.window().from(), fault::begins(fault));
    }
    for change in scenario.directory_changes() {
        then(change.at(), directory::tell(change));
    }
    for action in scenario.operator_actions() {
        then(action.at(), operator::tell(action));
    }
    for disturbance in scenario.ledger_disturbances() {
        then(disturbance.window().from(), ledger::tell(disturbance));
    }
    for disturbance in scenario.misdeliveries() {
        then(disturbance.window().from(), telemetry::tell(disturbance));
    }
    for kill in scenario.kills() {
        then(kill.window().from(), kill::tell(kill));
    }
    if let Some(set_back) = scenario.world().set_back() {
        then(set_back.at, format!("the dispatcher's clock is set back by {}", show(set_back.by)));
    }
    moments.sort_by_key(|(at, _)| *at);
    let width = moments.iter().map(|(at, _)| show(*at).len()).max().unwrap_or(0);
    let mut last = None;
    for (at, what) in moments {
        let shown = if last.replace(at) == Some(at) { String::new() } else { show(at) };
        story.say(&format!("  {shown:>width$}  "), &what);
    }
}

fn traffic(traffic: &Traffic) -> String {
    let total = traffic.mix().total() as f64;
    let shares = traffic.mix().shares().map(|(client, share)| {
        let percent = (100.0 * f64::from(share) / total).round();
        format!("{percent} % {}", client.name())
    });
    let share = |of: &str, count: Option<u64>| count.map_or_else(String::new, |count| format!("; {of} {count}"));
    format!(
        "{} arrive, {}, {} in all by {}: {}; for {} of {}{}{}{}",
        traffic.name(),
        traffic.arriving(),
        traffic.arrivals(),
        show(traffic.window().to()),
        shares.collect::<Vec<_>>().join(", "),
        traffic.path().as_str(),
        list(traffic.tenants_for(ClientKind::Unpaid)),
        share("addresses:", traffic.addresses()),
        match traffic.addresses_in() {
            AddressesIn::Ipv4 => "",
            AddressesIn::Ipv6 => "; in version 6",
            AddressesIn::OnePrefix => "; all in one network of 48 bits",
        },
        share("payers of their own:", traffic.payers()),
    )
}

fn chances(scenario: &Scenario) -> Vec<String> {
    // What a block names once is left to no chance.
    let blocks = scenario.traffic();
    let has_kinds = blocks.iter().any(|block| block.mix().clients().count() > 1);
    let has_tenants = blocks.iter().any(|block| block.tenants_for(ClientKind::Unpaid).len() > 1);
    let drawn = [(has_kinds, "its kind, "), (has_tenants, "its tenant, ")];
    let drawn: String = drawn.iter().filter(|(is_drawn, _)| *is_drawn).map(|(_, what)| *what).collect();
    let and = if drawn.is_empty() { "" } else { "and " };
    let mut said = vec![format!("of each arrival {drawn}{and}whether it comes by host or by /t/<slug>")];
    if scenario.traffic().iter().any(|block| block.mix().clients().any(|client| client == ClientKind::Malformed)) {
        said.push("which way each malformed payment is broken".to_owned());
    }
    for fault in scenario.faults().iter().filter(|fault| matches!(fault.pick(), Pick::Odds(_))) {
        said.push(format!("which calls fault {} takes", fault.number()));
    }
    if scenario.kills().iter().any(|kill| matches!(kill.when(), When::Random { .. })) {
        said.push("the random moments of a kill".to_owned());
    }
    said.push(match scenario.seed() {
        Some(seed) => format!("all of it drawn from seed {seed}, unless --seed gives another"),
        None => "all of it drawn from a seed that each run draws and prints, unless --seed gives one".to_owned(),
    });
    said
}

#[cfg(test)]
mod tests;
