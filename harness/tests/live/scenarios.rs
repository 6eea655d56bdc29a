//! The shipped scenarios pass against the dispatcher as it is.

use crate::harness::{report, turn};
use harness::exit::Exit;
use serde_json::Value;

/// But for latency: how fast it is here and now, on a machine that may be busy with anything, is for `harness scenario` to
/// say and not for a test.
fn broken(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().expect("a report has checks");
    let failed = checks.iter().filter(|check| check["verdict"] != "pass" && check["name"] != "latency");
    failed.map(|check| format!("{}: {}", check["id"], check["detail"])).collect()
}

const ENDED_WELL: [i32; 2] = [Exit::Pass as i32, Exit::TooSlow as i32];

#[test]
fn the_outage_is_survived_and_nobody_pays_twice() {
    let _turn = turn();
    let (report, code) = report("outage");
    assert_eq!(broken(&report), Vec::<String>::new());
    assert!(ENDED_WELL.contains(&code), "{code}");

    let ids: Vec<_> = report["checks"].as_array().unwrap().iter().filter_map(|check| check["id"].as_str()).collect();
    for rule in ["MONEY-1", "MONEY-2", "MONEY-3", "MONEY-5", "MONEY-8", "ISO-1", "COST-1", "LIVE-1", "LIVE-2"] {
        assert!(ids.contains(&rule), "{rule} was not judged: {ids:?}");
    }
    let phases = report["phases"].as_array().unwrap();
    assert_eq!(
        phases.iter().map(|phase| phase["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["steady", "outage", "recovery"]
    );
    assert!(phases.iter().all(|phase| phase["requests"].as_u64() > Some(0) && phase["p95_ms"].as_f64() > Some(0.0)));
    assert!(phases[1]["pending"].as_u64() > Some(0), "the outage made no outcome unknown");
    let events = std::path::Path::new(report["run_dir"].as_str().unwrap()).join("events.jsonl");
    assert!(std::fs::read_to_string(events).unwrap().lines().count() > 1_000);
}

#[test]
fn a_facilitator_that_lies_about_settling_is_never_served_on() {
    let _turn = turn();
    let (report, code) = report("settle-lies");
    assert_eq!(broken(&report), Vec::<String>::new());
    assert!(ENDED_WELL.contains(&code), "{code}");
    assert!(report["phases"][0]["pending"].as_u64() > Some(0), "no lie was told");
}

#[test]
fn callers_get_no_more_than_they_pay_for_and_cost_no_more() {
    let _turn = turn();
    for scenario in ["payment-on-another-request", "payment-identifier-races", "malformed-payments"] {
        let (report, code) = report(scenario);
        assert_eq!(broken(&report), Vec::<String>::new(), "{scenario}");
        assert!(ENDED_WELL.contains(&code), "{scenario}: {code}");
    }
}
