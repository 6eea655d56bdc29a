//! That every server of a bench answers what it is measured for. How fast is no test's business.

use crate::harness::{run, turn};
use harness::exit::Exit;
use serde_json::Value;

#[test]
fn a_bench_measures_right_answers_only() {
    let _turn = turn();
    let output = run(&["bench", "--rounds", "1", "--seconds", "1", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report alone");
    let code = output.status.code().expect("it was not killed");
    assert!([Exit::Pass, Exit::TooSlow].map(|exit| i32::from(exit.code())).contains(&code), "{code}: {report:#}");

    let cases = report["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 4, "{report:#}");
    for measured in cases.iter().flat_map(|case| [&case["dispatcher"], &case["reference"]]) {
        assert_eq!(measured["wrong"], 0, "{report:#}");
        assert!(measured["requests"].as_u64() > Some(0), "{report:#}");
    }
}
