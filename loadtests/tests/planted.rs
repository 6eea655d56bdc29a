//! The gate's load test has to refuse a dispatcher that is slower, that leaks, that drops its limits or that bills an unknown outcome
//! anew; and it must never refuse the one that ships. It needs workerd, which the set-up provides.

use std::process::{Command, Stdio};

use serde_json::Value;

/// Seen whatever the machine does: they need no measurement of time.
const CERTAIN: [&str; 3] = ["drops-limits is refused", "leaks is refused", "refuses-unknown is refused"];

#[test]
fn each_planted_fault_is_refused_and_the_dispatcher_as_it_ships_is_not() {
    let mut selftest = Command::new(env!("CARGO_BIN_EXE_loadtests"));
    let told = selftest.args(["selftest", "--quick", "--format", "json"]).stderr(Stdio::inherit()).output();
    let told = told.expect("the load tests start");
    let report: Value = serde_json::from_slice(&told.stdout).expect("the report is JSON");
    let checks = report["checks"].as_array().expect("it has checks");
    let outcome = |name: &str| {
        let check = checks.iter().find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("{name} was not judged: {report:#}"))["outcome"].clone()
    };
    for name in CERTAIN {
        assert_eq!(outcome(name), "pass", "{report:#}");
    }
    // On a busy machine nobody may be able to tell, and then the gate does not pass either; but it never passes what is slower.
    assert_ne!(outcome("slower is refused"), "fail", "{report:#}");
    assert_ne!(outcome("the dispatcher as it ships is not refused"), "fail", "{report:#}");
}
