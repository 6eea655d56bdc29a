//! The story is what people read instead of the file: pinned whole, for scenarios that between them have everything.

use super::*;

fn explained(name: &str) -> String {
    let library = scenario::Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    render(&library.load(name).map_err(miette::Report::new).expect("the scenario is valid"))
}

#[test]
fn outage() {
    insta::assert_snapshot!(explained("outage"));
}

#[test]
fn rush_hour() {
    insta::assert_snapshot!(explained("rush-hour"));
}

#[test]
fn crash_under_load() {
    insta::assert_snapshot!(explained("crash-under-load"));
}

#[test]
fn per_tenant_facilitators() {
    insta::assert_snapshot!(explained("per-tenant-facilitators"));
}

/// Everything that the language can say, the story can tell; and no line of it is wider than a terminal.
#[test]
fn every_scenario_can_be_explained() {
    let library = scenario::Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    for scenario in library.scenarios().map_err(miette::Report::new).expect("the library is valid") {
        let text = render(&scenario);
        for fault in scenario.faults() {
            assert!(text.contains(&format!("fault {} begins", fault.number())), "{text}");
            assert!(text.contains(&format!("fault {} ends", fault.number())), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    }
}
