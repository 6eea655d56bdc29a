//! An incident as a scenario's file: commented, for a person to go on with, and held to every rule of safety.

use super::shape::{Fault, Incident, Renamed};
use judge::ALWAYS;
use reports::event::FacilitatorEndpoint;
use scenario::{Profile, limits::MAX_RUN};
use std::{fmt::Write, time::Duration};

/// Seconds after the last request, so that what was left open can be resolved.
const AFTER_S: u64 = 15;
/// How long an incident may be: with what comes after it, a scenario as long as one may be.
pub const LONGEST_S: u64 = MAX_RUN.as_secs() - AFTER_S;
/// What is not logged, and has to be something: a price in USDC, and a plan.
const PRICE: &str = "0.01";
const PLAN: &str = "pro";
const FACILITATOR: &str = "primary";

/// The file's text.
#[must_use]
pub fn render(incident: &Incident, name: &str, seed: u64) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a string takes whatever it is given");
    line("#:schema ./schema.json".to_owned());
    line("# Made from the dispatcher's log of an incident. Prices, plans and the length of time-outs are not logged: set them.".to_owned());
    line(format!(
        "id    = \"{name}\"\ntitle = \"An incident of {} s, from its log\"\nseed  = {seed}",
        incident.seconds
    ));
    let end_s = incident.seconds + AFTER_S;
    line(format!("end   = \"{end_s}s\""));
    if Duration::from_secs(end_s) > Profile::LONGEST_NIGHTLY {
        line(format!("profile = \"{}\"", Profile::Release.as_str()));
    }
    // Quoted as Rust does, so that whatever an id holds stays in its comment.
    for Renamed { kind, name, logged } in &incident.renamed {
        line(format!("# The {kind} `{name}` is {logged:?} in the log."));
    }
    // Where nobody was asked, there is one all the same.
    let asked = if incident.facilitators.is_empty() { &vec![FACILITATOR.to_owned()] } else { &incident.facilitators };
    line(format!("\n[world]\nfacilitators = {asked:?}"));
    for (tenant, pays) in &incident.tenants {
        let price = if *pays { format!("\nprice = \"{PRICE}\"") } else { String::new() };
        line(format!("\n[[world.tenant]]\nid    = {tenant:?}\nplan  = \"{PLAN}\"{price}"));
    }
    line("\n[[phase]]\nname = \"incident\"\nfrom = \"0s\"".to_owned());
    line(format!("\n[[phase]]\nname = \"after\"\nfrom = \"{}s\"", incident.seconds));
    for (n, (paid, unpaid)) in incident.traffic.iter().enumerate().filter(|(_, (paid, unpaid))| paid + unpaid > 0) {
        let from = n as u64 * incident.stretch_s;
        let to = (from + incident.stretch_s).min(incident.seconds);
        let rate = (paid + unpaid) as f64 / (to - from) as f64;
        // Who did not come has no share.
        let shares = [("paid", paid), ("unpaid", unpaid)].into_iter().filter(|(_, share)| **share > 0);
        let mix: Vec<_> = shares.map(|(kind, share)| format!("{kind} = {share}")).collect();
        line(format!(
            "\n[[traffic]]\nname = \"from-{from}s\"\nfrom = \"{from}s\"\nto   = \"{to}s\"\nrate = {rate}\nmix  = {{ {} }}",
            mix.join(", ")
        ));
    }
    for fault in &incident.faults {
        let Fault { facilitator, result, from_s, to_s, failed, of, .. } = fault;
        let call = if fault.call == FacilitatorEndpoint::Settle { "settle" } else { "verify" };
        line(format!("\n# {failed} of {of} calls to {call} came to `{}`.", result.escape_debug()));
        line(format!(
            "[[fault]]\non   = \"{facilitator}\"\ncall = \"{call}\"\nfrom = \"{from_s}s\"\nto   = \"{to_s}s\""
        ));
        // Last so many of each hundred: a share of all is no pick.
        let share = (*failed as f64 / (*of).max(1) as f64).clamp(0.01, 0.99);
        line(format!("pick.odds = {share:.2}"));
        line(format!("inject.{}", inject(fault)));
    }
    for (id, checker) in ALWAYS {
        line(format!("\n[[must]]\nid = \"{id}\"\nhold.{checker} = {{}}"));
    }
    text
}

/// What makes a double behave so that the dispatcher calls it this.
fn inject(fault: &Fault) -> String {
    let moved = fault.call == FacilitatorEndpoint::Settle && fault.money_moved;
    let status = fault.result.strip_prefix("http_").and_then(|code| code.parse::<u16>().ok());
    match (fault.result.as_str(), status) {
        // A success that was not understood.
        (_, Some(..300)) => "wrong-shape = {}".to_owned(),
        (_, Some(code)) if moved => format!("settle-then-status = {{ code = {code}, body = \"html\" }}"),
        (_, Some(code)) => format!("status = {{ code = {code}, body = \"html\" }}"),
        ("timeout", _) if moved => "settle-then-hang = {}".to_owned(),
        ("timeout", _) => "hang = {}".to_owned(),
        ("unreachable", _) if moved => "settle-then-reset = {}".to_owned(),
        ("unreachable", _) => "reset = { after = \"head\" }".to_owned(),
        ("invalid_json", _) => "bad-json = {}".to_owned(),
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
