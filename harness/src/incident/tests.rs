//! A log read in every form, what the page says of it, and the scenario that is made of it.

use super::*;
use crate::{play::RunSpec, sim};
use reports::event::{Event, FacilitatorEndpoint, Recorded};
use scenario::Tier;
use scenario::{Profile, limits::MAX_RUN};

fn history(text: &str, name: &str) -> Vec<Recorded> {
    let scenario = Scenario::parse("it.toml", text).map_err(miette::Report::new).expect("it is valid");
    sim::simulate(RunSpec { scenario: &scenario, as_: name, tier: Tier::Sim, seed: 42 }).expect("it runs")
}

fn outage() -> Vec<Recorded> {
    history(include_str!("../../../scenarios/outage.toml"), "outage")
}

/// A log as a platform exports it.
fn log(history: &[Recorded]) -> String {
    let wrapped = |recorded: &Recorded| {
        let (log, line) = match &recorded.event {
            Event::DispatcherRequest(line) => ("request", serde_json::to_value(line)),
            Event::DispatcherPayment(line) => ("payment", serde_json::to_value(line)),
            Event::FacilitatorStanding(line) => ("facilitator", serde_json::to_value(line)),
            _ => return None,
        };
        let mut line = line.expect("plain data");
        line["log"] = log.into();
        Some(format!("{}\n", serde_json::json!({"timestamp": BEGAN_MS + recorded.at_us / 1_000, "message": line})))
    };
    history.iter().filter_map(wrapped).collect()
}

const BEGAN_MS: u64 = 1_795_881_600_000;

fn read_text(test: &str, log: &[u8], cut: &Cut<'_>) -> Result<Read, IncidentError> {
    let path = std::env::temp_dir().join(format!("402claw-incident-{test}-{}.jsonl", std::process::id()));
    std::fs::write(&path, log).expect("a temporary file");
    let read = read(std::slice::from_ref(&path), cut);
    std::fs::remove_file(path).expect("it is ours");
    read
}

fn written(test: &str, log: &[u8]) -> Result<String, IncidentError> {
    let name = Name::new("monday").expect("a name");
    scenario(&read_text(test, log, &Cut::default())?, &name, 1)
}

fn made_of(test: &str, lines: impl Iterator<Item = String>) -> Scenario {
    let log = lines.collect::<String>();
    let text = written(test, log.as_bytes()).map_err(miette::Report::new).expect("it makes one");
    Scenario::parse("monday.toml", &text).map_err(miette::Report::new).expect("valid")
}

fn request(at_ms: u64, payment: &str, attempts: &str) -> String {
    let line = format!(
        r#"{{"log":"request","request_id":"r{at_ms}","tenant_id":"acme","route":"GET /","status":402,"code":"payment_required","payment":{payment},"transaction":null,"attempts":[{attempts}],"ms":3}}"#
    );
    format!("{{\"timestamp\":{at_ms},\"message\":{line}}}\n")
}

fn arrivals(scenario: &Scenario) -> u64 {
    scenario.traffic().iter().map(|block| block.arrivals()).sum()
}

#[test]
fn an_outages_log_becomes_an_outage_that_shows_itself_again() {
    let log = log(&outage());
    let read = read_text("outage", log.as_bytes(), &Cut::default()).map_err(miette::Report::new).expect("it is a log");
    let text =
        scenario(&read, &Name::new("monday").expect("a name"), 1).map_err(miette::Report::new).expect("it makes one");
    let made = Scenario::parse("monday.toml", &text).expect("valid");
    let names: Vec<_> = made.world().facilitators().iter().map(Name::as_str).collect();
    assert_eq!(names, ["primary", "standby"]);
    assert_eq!(made.world().tenants().len(), 2);
    let injected: Vec<_> = made.faults().iter().map(|fault| (fault.on().as_str(), fault.inject().name())).collect();
    assert!(injected.contains(&("primary", "settle-then-hang")), "{text}");
    assert!((340..=420).contains(&arrivals(&made)), "380 came, and {} are made of them", arrivals(&made));
    for cover in ["COVER-1", "COVER-2", "COVER-3"] {
        assert!(made.musts().iter().any(|must| must.id() == cover), "{cover}: it could pass by not happening");
    }
    let run = history(&text, "monday");
    let compared = compare(&read.incident, &run);
    assert_ne!(compared.verdict, Reproduced::NotReproduced, "{compared}");
    let page = Page::of(&read.incident, None, &read.left_out);
    assert_eq!(page.cause.kind, "facilitator", "{page}");
    assert!(page.cause.sentence.contains("`primary`"), "{page}");
}

/// A primary that settles and falls silent for good, with callers that take the first answer.
const STUCK: &str = r#"
id = "stuck"
title = "A settle that hangs to the end"
seed = 7
end = "40s"
[world]
facilitators = ["primary"]
[[world.tenant]]
id = "acme"
plan = "pro"
price = "0.01"
[[phase]]
name = "all"
from = "0s"
[[traffic]]
name = "callers"
from = "0s"
to = "20s"
rate = 1
mix = { once = 1 }
[[fault]]
on = "primary"
call = "settle"
from = "5s"
to = "40s"
inject.settle-then-hang = {}
[[must]]
id = "MONEY-1"
hold.settle-at-most-once = {}
"#;

#[test]
fn payments_that_nobody_cleared_up_are_listed_with_the_command_that_asks() {
    let history = history(STUCK, "stuck");
    // The log ends while they are open.
    let cut = Cut { to: Some("16:00:22"), ..Cut::default() };
    let read = read_text("stuck", log(&history).as_bytes(), &cut).map_err(miette::Report::new).expect("it is a log");
    let page = Page::of(&read.incident, Some("https://api.example"), &read.left_out);
    assert!(!page.open.is_empty(), "{page}");
    assert!(page.open[0].ask.contains("https://api.example/__platform/payments/eip155:84532:"), "{page}");
    assert!(page.now.iter().any(|step| step.what.contains("open payments")), "{page}");
    let ill = &read.incident.illnesses;
    assert!(ill.iter().any(|it| !it.healed && it.result == "timeout"), "{page}");
    let text =
        scenario(&read, &Name::new("monday").expect("a name"), 1).map_err(miette::Report::new).expect("it makes one");
    let compared = compare(&read.incident, &self::history(&text, "monday"));
    assert_eq!(compared.verdict, Reproduced::Reproduced, "{compared}\n{text}");
}

/// The only facilitator hangs for half a minute, is quarantined, and comes back.
const HANG: &str = r#"
id = "hang"
title = "settle hangs for 30 s"
seed = 7
end = "60s"
[world]
facilitators = ["primary"]
[[world.tenant]]
id = "acme"
plan = "pro"
price = "0.01"
[[phase]]
name = "all"
from = "0s"
[[traffic]]
name = "callers"
from = "0s"
to = "50s"
rate = 3
mix = { paid = 3, unpaid = 1 }
[[fault]]
on = "primary"
call = "settle"
from = "10s"
to = "40s"
inject.hang = {}
[[must]]
id = "MONEY-1"
hold.settle-at-most-once = {}
"#;

#[test]
fn half_a_minute_without_settlements_is_reproduced_with_its_quarantine() {
    let log = log(&history(HANG, "hang"));
    let read = read_text("hang", log.as_bytes(), &Cut::default()).map_err(miette::Report::new).expect("it is a log");
    let page = Page::of(&read.incident, None, &read.left_out);
    let settle = read.incident.illnesses.iter().find(|it| it.call == FacilitatorEndpoint::Settle).expect("it was ill");
    let from_s = (settle.from_ms - read.incident.began_ms) as f64 / 1_000.0;
    assert!((8.0..=12.0).contains(&from_s), "it began at 10 s, and is said to begin at {from_s} s: {page}");
    assert_eq!(settle.money_moved, None, "each payment was asked about again, and settled then for all that one knows");
    let text =
        scenario(&read, &Name::new("monday").expect("a name"), 1).map_err(miette::Report::new).expect("it makes one");
    let compared = compare(&read.incident, &self::history(&text, "monday"));
    assert_eq!(compared.verdict, Reproduced::Reproduced, "{compared}\n{text}");
}

#[test]
fn a_log_is_cut_by_time_and_by_request() {
    let lines: String = (0..100).map(|n| request(BEGAN_MS + n * 1_000, &format!("\"p{n}\""), "")).collect();
    let requests = |cut: &Cut<'_>| read_text("cut-down", lines.as_bytes(), cut).map(|read| read.incident.requests());
    let cut = Cut { from: Some("16:00:10"), to: Some("2026-11-28T16:00:19.500Z"), ..Cut::default() };
    assert_eq!(requests(&cut).map_err(miette::Report::new).expect("it is a log"), 10);
    let ids = [format!("r{}", BEGAN_MS + 5_000)];
    let cut = Cut { request_ids: &ids, ..Cut::default() };
    assert_eq!(requests(&cut).map_err(miette::Report::new).expect("it is there"), 1);
    let cut = Cut { from: Some("soon"), ..Cut::default() };
    assert!(matches!(requests(&cut), Err(IncidentError::Moment(_))));
    let cut = Cut { from: Some("17:00"), ..Cut::default() };
    assert!(matches!(requests(&cut), Err(IncidentError::Nothing)));
}

#[test]
fn logs_that_overlap_are_one() {
    let lines: String = (0..20).map(|n| request(BEGAN_MS + n * 1_000, "null", "")).collect();
    let read = read_text("twice", [lines.as_bytes(), lines.as_bytes()].concat().as_slice(), &Cut::default());
    let read = read.map_err(miette::Report::new).expect("it is a log");
    assert_eq!((read.incident.requests(), read.left_out.len()), (20, 1));
}

#[test]
fn a_flood_of_those_who_only_ask_is_a_scenario_too() {
    let made = made_of("flood", (0..200).map(|n| request(n * 50, "null", "")).chain(["cut off {\n".to_owned()]));
    assert_eq!(made.world().facilitators().len(), 1, "nobody was asked, and a world has one");
    assert_eq!(arrivals(&made), 200);
}

#[test]
fn an_incident_of_most_of_an_hour_with_many_failures_is_a_scenario() {
    let failed = r#"{"facilitator":"primary","call":"settle","result":"http_503","ms":1}"#;
    let made = made_of("hour", (0..300).map(|n| request(n * 11_000, &format!("\"p{n}\""), failed)));
    assert_eq!(arrivals(&made), 300);
    assert_eq!(made.faults().len(), 1, "without a success between they are one");
}

#[test]
fn ids_that_are_no_names_get_some_and_the_file_says_whose() {
    let failed = |of: &str| format!(r#"{{"facilitator":"{of}","call":"settle","result":"http_503","ms":1}}"#);
    let line = |n: u64, tenant: &str, facilitator: &str| {
        request(n * 50, &format!("\"p{n}\""), &failed(facilitator)).replace("acme", tenant)
    };
    let asked = [("acme_shop", "x402.org"), ("acme-shop", "CDP"), ("Acme.Shop", "x402-org"), ("__", "x402.org")];
    let log: String = (0..200).zip(asked.iter().cycle()).map(|(n, &(tenant, of))| line(n, tenant, of)).collect();
    let text = written("ids", log.as_bytes()).map_err(miette::Report::new).expect("it makes one");
    let made = Scenario::parse("monday.toml", &text).map_err(miette::Report::new).expect("valid");
    let facilitators: Vec<_> = made.world().facilitators().iter().map(Name::as_str).collect();
    assert_eq!(facilitators, ["x402-org-2", "cdp", "x402-org"]);
    let tenants: Vec<_> = made.world().tenants().iter().map(|tenant| tenant.id().as_str()).collect();
    assert_eq!(
        tenants,
        ["acme-shop-2", "tenant-1", "acme-shop", "acme-shop-3"]
            .map(|id| id)
            .into_iter()
            .filter(|id| tenants.contains(id))
            .collect::<Vec<_>>()
    );
    assert!(text.contains("# The facilitator `x402-org-2` is \"x402.org\" in the log.\n"), "{text}");
    assert!(text.contains("# The tenant `tenant-1` is \"__\" in the log.\n"), "{text}");
    assert!(!text.contains("`acme-shop` is"), "it is called so in the log: {text}");
}

#[test]
fn an_incident_lasts_no_longer_than_a_scenario_has_room_for() {
    let lasting = |ms: u64| (0..300).map(|n| request(n * 11_000, "null", "")).chain([request(ms, "null", "")]);
    let made = made_of("longest", lasting(LONGEST_S * 1_000 - 1));
    assert_eq!((made.end(), made.profile()), (MAX_RUN, Profile::Release));
    let error = written("too-long", lasting(LONGEST_S * 1_000 + 1_000).collect::<String>().as_bytes());
    assert!(matches!(error, Err(IncidentError::TooLong { .. })));
}

#[test]
fn a_log_that_was_cut_inside_of_a_character_is_read() {
    let whole: String = (0..200).map(|n| request(n * 50, "null", "")).collect();
    let cut = [whole.as_bytes(), "{\"timestamp\":1,\"message\":\"caf".as_bytes(), &"é".as_bytes()[..1]].concat();
    let text = written("cut", &cut).map_err(miette::Report::new).expect("it makes one");
    let whole = written("whole", whole.as_bytes()).map_err(miette::Report::new).expect("it makes one");
    assert_eq!(text, whole);
}

#[test]
fn a_log_without_times_and_one_of_another_form_are_called_so() {
    let line = r#"{"log":"request","request_id":"r","tenant_id":null,"route":"GET /","status":404,"code":null,"payment":null,"transaction":null,"attempts":[],"ms":1}"#;
    assert!(matches!(written("no-time", line.as_bytes()), Err(IncidentError::NoTime { line: 1, .. })));
    assert!(matches!(
        written("html", b"<!DOCTYPE html><html>"),
        Err(IncidentError::Foreign { what: "a web page", .. })
    ));
}
