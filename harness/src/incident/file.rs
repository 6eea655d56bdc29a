//! An incident as a scenario's file: commented, for a person to go on with, and held to every rule of safety. Arrivals come at the log's
//! own times, and it cannot pass by not happening.

use super::{
    calls::{Illness, Pattern},
    names,
    shape::{Arrival, Client, Incident},
    times,
};
use crate::directory::plan_limits;
use judge::ALWAYS;
use reports::event::{FacilitatorEndpoint, LimitFacts};
use scenario::{MAX_BLOCKS, Plan, Profile, limits::MAX_RUN};
use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// Seconds after the last request, so that what was left open can be resolved.
const AFTER_S: u64 = 15;
/// How long an incident may be: with what comes after it, a scenario as long as one may be.
pub const LONGEST_S: u64 = MAX_RUN.as_secs() - AFTER_S;
/// Values that are not logged, and have to be something: a price in USDC, and a plan.
const PRICE: &str = "0.01";
const PLAN: &str = "pro";
const FACILITATOR: &str = "primary";
/// A client fetches its offer before it pays.
const OFFER_MS: u64 = 30;
/// Moments in a line of the file.
const IN_A_LINE: usize = 16;
/// The network's own units in one USDC.
const ATOMIC: u64 = 1_000_000;

/// How long it was, in whole seconds.
pub fn seconds(incident: &Incident) -> u64 {
    (incident.ended_ms - incident.began_ms) / 1_000 + 1
}

struct File<'a> {
    incident: &'a Incident,
    text: String,
    facilitators: BTreeMap<String, String>,
    tenants: BTreeMap<String, String>,
}

/// The file's text. `notes` are what its reader should know of it.
#[must_use]
pub fn render(incident: &Incident, name: &str, seed: u64, notes: &[String]) -> String {
    let facilitators = names::of(&incident.facilitators, "facilitator");
    let tenants = names::of(&incident.tenants.keys().cloned().collect::<Vec<_>>(), "tenant");
    let mut file = File { incident, text: String::new(), facilitators, tenants };
    file.head(name, seed, notes);
    file.world();
    file.traffic();
    file.faults();
    file.quarantines();
    file.musts();
    file.text
}

impl File<'_> {
    fn line(&mut self, line: impl AsRef<str>) {
        writeln!(self.text, "{}", line.as_ref()).expect("a string takes whatever it is given");
    }

    fn since(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.incident.began_ms)
    }

    fn end_s(&self) -> u64 {
        seconds(self.incident) + AFTER_S
    }

    fn head(&mut self, name: &str, seed: u64, notes: &[String]) {
        let (from, to) = (times::shown(self.incident.began_ms), times::of_day(self.incident.ended_ms));
        self.line("#:schema ./schema.json");
        self.line(format!("# Made from the dispatcher's log of an incident, from {from} to {to}."));
        for note in notes {
            // Whatever a log holds stays in its comment.
            self.line(format!("# {}", note.escape_debug()));
        }
        for (at_ms, version) in &self.incident.deploys.clone() {
            let s = self.since(*at_ms) as f64 / 1_000.0;
            self.line(format!(
                "# Version {version:?} of the dispatcher was deployed at {s} s. As a crash it would be:"
            ));
            self.line(format!("#   [[kill]]\n#   when.at = \"{}ms\"", self.since(*at_ms)));
        }
        let s = seconds(self.incident);
        self.line(format!("id    = \"{name}\"\ntitle = \"An incident of {s} s, from its log\"\nseed  = {seed}"));
        self.line(format!("end   = \"{}s\"", self.end_s()));
        if Duration::from_secs(self.end_s()) > Profile::LONGEST_NIGHTLY {
            self.line(format!("profile = \"{}\"", Profile::Release.as_str()));
        }
        let of = |kind: &str, names: &BTreeMap<String, String>| {
            let changed = names.iter().filter(|(logged, name)| logged != name);
            // Quoted as Rust does, so that whatever an id holds stays in its comment.
            changed.map(|(logged, name)| format!("# The {kind} `{name}` is {logged:?} in the log.")).collect::<Vec<_>>()
        };
        for line in of("facilitator", &self.facilitators).into_iter().chain(of("tenant", &self.tenants)) {
            self.line(line);
        }
    }

    fn world(&mut self) {
        let incident = self.incident;
        // Where nobody was asked, there is one all the same.
        let asked: Vec<&str> = match &incident.facilitators[..] {
            [] => vec![FACILITATOR],
            asked => asked.iter().map(|id| self.facilitators[id].as_str()).collect(),
        };
        let world = format!("\n[world]\nfacilitators = {asked:?}");
        self.line(world);
        // A time-out is as long as what was waited for in vain; the dispatcher takes whole tenths of a second.
        for (call, key, most) in [
            (FacilitatorEndpoint::Verify, "verify-timeout", 15_000),
            (FacilitatorEndpoint::Settle, "settle-timeout", 90_000),
        ] {
            if let Some(ms) = incident.timeouts_ms.get(&call).map(|ms| (ms / 100 * 100).clamp(100, most)) {
                self.line(format!("{key} = \"{ms}ms\""));
            }
        }
        if incident.has_node {
            self.line("# Payments were cleared up by the chain.\nnode.honest = {}");
        }
        if let Some(repeats) = incident.repeats {
            self.line(format!("repeats = \"{repeats}\""));
        }
        if incident.quarantines.iter().any(|it| it.by == "policy") {
            self.line("cpu-limit-policy = \"quarantine\"");
        }
        for (id, seen) in &incident.tenants {
            let (plan, price) = match &seen.facts {
                Some(facts) => {
                    let is_its = |plan: &Plan| {
                        plan_limits(*plan) == LimitFacts { cpu_ms: facts.cpu_ms, sub_requests: facts.sub_requests }
                    };
                    let plan = Plan::ALL.into_iter().find(is_its).map_or(PLAN, Plan::as_str);
                    (plan, facts.price.as_ref().and_then(|price| usdc(&price.amount)))
                }
                None => (PLAN, seen.pays.then(|| PRICE.to_owned())),
            };
            let guessed = if seen.facts.is_none() { "   # not logged" } else { "" };
            let name = self.tenants[id].clone();
            self.line(format!("\n[[world.tenant]]\nid    = {name:?}\nplan  = \"{plan}\"{guessed}"));
            if let Some(price) = price {
                self.line(format!("price = \"{price}\"{guessed}"));
            }
            if let Some(rate) = seen.rate {
                self.line(format!("# So many were let in within ten seconds, and others were not.\nrates = {{ tenant = 1000000, payer = 1000000, address = {rate} }}"));
            }
        }
        self.line("\n[[phase]]\nname = \"incident\"\nfrom = \"0s\"");
    }

    fn traffic(&mut self) {
        let mut groups: BTreeMap<(&str, Client, &str), Vec<u64>> = BTreeMap::new();
        for Arrival { at_ms, tenant, client, path } in &self.incident.arrivals {
            let at_ms = self.since(*at_ms);
            let at_ms = if *client == Client::Unpaid { at_ms } else { at_ms.saturating_sub(OFFER_MS) };
            groups.entry((tenant, *client, path)).or_default().push(at_ms);
        }
        // Where there are more than a scenario may have, what was asked for is what has to go.
        if groups.len() > MAX_BLOCKS {
            let all = std::mem::take(&mut groups);
            for ((tenant, client, _), times) in all {
                groups.entry((tenant, client, "/quote")).or_default().extend(times);
            }
        }
        let end_s = self.end_s();
        for (n, ((tenant, client, path), mut times)) in groups.into_iter().enumerate() {
            times.sort_unstable();
            let kind = match client {
                Client::Paid => "paid",
                Client::Once => "once",
                Client::Unpaid => "unpaid",
                Client::Malformed => "malformed",
            };
            let seen = &self.incident.tenants[tenant];
            let addresses = if seen.rate.is_some() { "\naddresses = 1" } else { "" };
            let lines: Vec<String> = times
                .chunks(IN_A_LINE)
                .map(|chunk| chunk.iter().map(u64::to_string).collect::<Vec<_>>().join(", "))
                .collect();
            let name = self.tenants[tenant].clone();
            self.line(format!(
                "\n[[traffic]]\nname = \"{kind}-{}\"\nfrom = \"0s\"\nto   = \"{end_s}s\"\nmix  = {{ {kind} = 1 }}\ntenants = [{name:?}]\npath = \"{path}\"{addresses}\nat-ms = [\n  {},\n]",
                n + 1,
                lines.join(",\n  ")
            ));
        }
    }

    fn faults(&mut self) {
        let end_ms = self.end_s() * 1_000;
        for (illness, from_ms, to_ms) in parted(self.incident, end_ms) {
            let Illness { facilitator, call, result, failed, of, pattern, healed, .. } = illness;
            let call = if *call == FacilitatorEndpoint::Settle { "settle" } else { "verify" };
            let until = if *healed { "" } else { ", and none was well to the log's end" };
            self.line(format!("\n# {failed} of {of} calls to {call} came to `{}`{until}.", result.escape_debug()));
            if illness.money_moved.is_none() && call == "settle" && needs_money(result) {
                self.line("# Whether money moved is not in the log: here it did.");
            }
            let name = self.facilitators[facilitator].clone();
            self.line(format!(
                "[[fault]]\non   = \"{name}\"\ncall = \"{call}\"\nfrom = \"{from_ms}ms\"\nto   = \"{to_ms}ms\""
            ));
            let was_quarantined = self
                .incident
                .standings
                .iter()
                .any(|it| it.facilitator == *facilitator && it.call == illness.call && it.to == "quarantined");
            match pattern {
                // It says so to each payment, until it has settled it.
                _ if result == "settlement_pending" => {}
                Pattern::All => {}
                Pattern::Every(step) => self.line(format!("pick.every = {step}")),
                // By chance several in a row would come, which the breaker never met.
                Pattern::Share(share) if *share <= 0.5 && !was_quarantined => {
                    self.line(format!("pick.every = {}", (1.0 / share).round()));
                }
                Pattern::Share(share) => self.line(format!("pick.odds = {share:.2}")),
            }
            self.line(format!("inject.{}", inject(illness)));
        }
    }

    fn quarantines(&mut self) {
        let incident = self.incident;
        let mut acts: Vec<(u64, String)> = Vec::new();
        for it in incident.quarantines.iter().filter(|it| it.by != "policy") {
            let Some(tenant) = self.tenants.get(&it.tenant) else { continue };
            acts.push((self.since(it.from_ms), format!("does.quarantine = {{ tenant = {tenant:?} }}")));
            acts.extend(
                it.to_ms.map(|to| (self.since(to), format!("does.lift-quarantine = {{ tenant = {tenant:?} }}"))),
            );
        }
        acts.sort();
        let mut before = None;
        for (at_ms, does) in acts {
            let at_ms = before.map_or(at_ms, |before: u64| at_ms.max(before + 1));
            before = Some(at_ms);
            self.line(format!("\n[[operator]]\nat = \"{at_ms}ms\"\n{does}"));
        }
    }

    fn musts(&mut self) {
        for (id, checker) in ALWAYS {
            self.line(format!("\n[[must]]\nid = \"{id}\"\nhold.{checker} = {{}}"));
        }
        self.line("\n# So that it cannot pass by not happening.");
        let mut cover = vec![("COVER-3", "clients-acted")];
        if !self.incident.illnesses.is_empty() {
            cover.push(("COVER-1", "faults-bit"));
        }
        if self.incident.answers.iter().any(|answer| answer.paid && answer.status == 200) {
            cover.push(("COVER-2", "traffic-flowed"));
        }
        for (id, checker) in cover {
            self.line(format!("\n[[must]]\nid = \"{id}\"\nhold.{checker} = {{}}"));
        }
    }
}

/// The illnesses with their windows since the beginning. A fault that takes every call leaves none to another, so no two of one
/// facilitator and call overlap.
fn parted(incident: &Incident, end_ms: u64) -> Vec<(&Illness, u64, u64)> {
    let since = |at_ms: u64| at_ms.saturating_sub(incident.began_ms);
    let mut windows: Vec<(&Illness, u64, u64)> =
        incident.illnesses.iter().map(|it| (it, since(it.from_ms), since(it.to_ms).min(end_ms))).collect();
    windows.sort_by_key(|(_, from_ms, _)| *from_ms);
    for n in 0..windows.len() {
        let (illness, ..) = windows[n];
        let same = |other: &Illness| other.facilitator == illness.facilitator && other.call == illness.call;
        let next = windows[n + 1..].iter().find(|(other, ..)| same(other)).map(|(_, from_ms, _)| *from_ms);
        if let Some(next) = next {
            windows[n].2 = windows[n].2.min(next);
        }
    }
    windows.retain(|(_, from_ms, to_ms)| from_ms < to_ms);
    windows.truncate(MAX_BLOCKS);
    windows
}

fn usdc(atomic: &str) -> Option<String> {
    let atomic: u64 = atomic.parse().ok()?;
    let rest = format!("{:06}", atomic % ATOMIC);
    let rest = rest.trim_end_matches('0');
    Some(if rest.is_empty() { (atomic / ATOMIC).to_string() } else { format!("{}.{rest}", atomic / ATOMIC) })
}

fn needs_money(result: &str) -> bool {
    ["timeout", "unreachable", "contradiction"].contains(&result) || result.starts_with("http_")
}

/// The fault that makes a double behave so that the dispatcher calls it this.
fn inject(illness: &Illness) -> String {
    // Where nobody could tell, the worse of the two is played.
    let moved = illness.call == FacilitatorEndpoint::Settle && illness.money_moved != Some(false);
    let status = illness.result.strip_prefix("http_").and_then(|code| code.parse::<u16>().ok());
    match (illness.result.as_str(), status) {
        ("slow", _) => format!("slow = {{ by = \"{}ms\" }}", illness.slow_ms.unwrap_or(1_000).max(1)),
        // A success that was not understood.
        (_, Some(..300)) => "wrong-shape = {}".to_owned(),
        // Not looked at, so that nothing moves.
        (_, Some(code @ (401 | 403 | 404 | 429))) => format!("status = {{ code = {code}, body = \"html\" }}"),
        (_, Some(code)) if moved => format!("settle-then-status = {{ code = {code}, body = \"html\" }}"),
        (_, Some(code)) => format!("status = {{ code = {code}, body = \"html\" }}"),
        ("timeout", _) if moved => "settle-then-hang = {}".to_owned(),
        ("timeout", _) => "hang = {}".to_owned(),
        ("unreachable", _) if moved => "settle-then-reset = {}".to_owned(),
        ("unreachable", _) => "reset = { after = \"head\" }".to_owned(),
        ("invalid_json", _) => "bad-json = {}".to_owned(),
        ("answer_too_deep", _) => "deep = { levels = 5000 }".to_owned(),
        ("answer_too_large", _) => "huge = { kilobytes = 1024 }".to_owned(),
        ("redirect", _) => "redirect = { code = 307 }".to_owned(),
        ("contradiction", _) => {
            let money = if moved { "moved" } else { "kept" };
            format!("lie = {{ about = \"payer\", money = \"{money}\" }}")
        }
        ("settlement_pending", _) => "pending = {}".to_owned(),
        (reason, _) if reason.ends_with("nonce_already_used") => "forget = {}".to_owned(),
        ("invalid_response" | "wrong_shape", _) => "wrong-shape = {}".to_owned(),
        (reason, _) if reason.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) => {
            format!("decline = {{ reason = {reason:?} }}")
        }
        // Its own words, and no reason code.
        _ => "decline = { reason = \"unexpected_error\" }".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomic_units_are_a_price() {
        assert_eq!(
            ["10000", "1000000", "1", "x"].map(usdc),
            [Some("0.01"), Some("1"), Some("0.000001"), None].map(|it| it.map(str::to_owned))
        );
    }
}
