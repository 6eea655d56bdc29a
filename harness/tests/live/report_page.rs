//! The page of a run that failed, in a real browser: wide, on a phone, dark and printed. The run is a simulated one into whose
//! history a double charge is written, and the words of a hostile tenant and a hostile facilitator.

use crate::{harness::run_quietly, npm_client::NpmClient};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

const HOSTILE: &str =
    "</b><script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>\u{202e}";

#[test]
fn the_page_of_a_failed_run_explains_it_on_every_screen_and_asks_for_nothing() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-page");
    let run = failed_run(&folder);
    let page = folder.join("report.html");
    let (exit, _, told) = run_quietly(&["report", text(&run), "--report", &format!("html={}", text(&page))]);
    assert_eq!(exit, 10, "{told}");

    let browser = NpmClient::installed("browser", "about 15 s, 89 MB, and 300 MB unpacked");
    let seen = browser.run("report.mjs", &[text(&page), text(&folder)]);
    for view in ["desktop", "phone", "dark", "print"] {
        let seen = &seen[view];
        assert_eq!(seen["console"], json!([]), "{view} had errors");
        assert_eq!(seen["asked"], json!([]), "{view} asked for something");
        assert_eq!(seen["faint"], json!([]), "{view} has text that is hard to read");
        assert_eq!((&seen["overflowing"], &seen["cut"]), (&json!([]), &json!([])), "{view} is too wide");
        assert_eq!(seen["broken_links"], json!([]), "{view} has links that lead nowhere");
        assert_eq!((&seen["doubled_ids"], &seen["scripts"]), (&json!(0), &json!(0)), "{view}");
        assert!(seen["texts"].as_u64().is_some_and(|texts| texts > 100), "{view} shows too little: {seen}");
        let lead = seen["lead"].as_str().expect("it begins with what broke");
        for told in [
            "MONEY-1 broke at",
            "moves money at most once",
            "while settle-then-hang on primary was on",
            "the dispatcher's",
        ] {
            assert!(lead.contains(told), "{view} does not say {told:?}: {lead}");
        }
        // A link into what is folded opens it.
        assert_eq!(
            (&seen["followed"]["visible"], &seen["followed"]["on_screen"]),
            (&json!(true), &json!(true)),
            "{view}"
        );
        assert!(folder.join(format!("{view}.png")).is_file(), "{view} left no picture");
    }
    assert_eq!(seen["desktop"]["keyboard"]["opened"], json!(true), "{}", seen["desktop"]["keyboard"]);
}

/// A run folder in which a payment moves money twice.
fn failed_run(folder: &Path) -> PathBuf {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("it is this test's own");
    }
    let run = folder.join("run");
    let (exit, _, told) = run_quietly(&["scenario", "outage", "--tier", "sim", "--run-dir", text(&run)]);
    assert_eq!(exit, 0, "{told}");
    let path = run.join("events.jsonl");
    let history = fs::read_to_string(&path).expect("the run left its events");
    let mut events: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    let at = |event: &Value| event["at_us"].as_u64().expect("it has a time");
    // In the last fault of the outage.
    let moved = |event: &&Value| event["event"] == "transfer_moved" && at(event) > 21_000_000;
    let mut again = events.iter().find(moved).expect("money moves in it").clone();
    (again["at_us"], again["transaction"]) = (json!(at(&again) + 1_000_000), json!(HOSTILE));
    let place = events.partition_point(|event| at(event) <= at(&again));
    events.insert(place, again);
    let exchange = events.iter_mut().find(|event| event["event"] == "exchange_ended").expect("there was one");
    exchange["target"] = json!(format!("/t/acme/{HOSTILE}"));
    let call = |event: &&mut Value| event["event"] == "facilitator_called" && event["answer"]["sent"].is_object();
    let call = events.iter_mut().find(call).expect("there was one");
    call["answer"]["sent"]["reason"] = json!(HOSTILE);
    let lines: Vec<String> = events.iter().map(|event| format!("{event}\n")).collect();
    fs::write(&path, lines.concat()).expect("there is room");
    run
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the workspace's path is text")
}
