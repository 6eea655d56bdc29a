//! Runs that are over: judged again, carried to another place, held to a list of known failures. On the simulated tier, so
//! that each run takes a moment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A few purchases, and rules of each level: one holds, two do not.
const SCENARIO: &str = r#"
id    = "few"
title = "A few purchases, judged by more than they can hold"
seed  = 42

[world]
facilitators = ["primary"]

[[world.tenant]]
id    = "acme"
plan  = "pro"
price = "0.01"

[[phase]]
name = "steady"
from = "0s"

[[traffic]]
name = "callers"
from = "0s"
to   = "2s"
rate = 2
mix  = { paid = 1 }

[[must]]
id                       = "MONEY-1"
hold.settle-at-most-once = {}

[[must]]
id                    = "LATENCY-strict"
level                 = "should"
hold.latency          = { phase = "steady", quantile = 50.0, at-most = "1ms" }
"#;

/// A checkout of nothing but a library of one scenario; `outage` is what a library is known by.
fn checkout(name: &str, scenario: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("scenarios")).unwrap();
    fs::write(root.join("scenarios/outage.toml"), include_str!("../../scenarios/outage.toml")).unwrap();
    fs::write(root.join("scenarios/few.toml"), scenario).unwrap();
    root
}

fn harness(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness")).args(args).current_dir(root).env("NO_COLOR", "1").output().unwrap()
}

/// Runs the scenario into `<root>/run`.
fn run(root: &Path, args: &[&str]) -> Option<i32> {
    let _ = fs::remove_dir_all(root.join("run"));
    let args: Vec<_> = ["scenario", "few", "--tier", "sim", "--run-dir", "run"].iter().chain(args).copied().collect();
    harness(root, &args).status.code()
}

fn stderr(output: &Output) -> String {
    // Wrapped where the terminal ends, which is not what is looked at here.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_is_judged_again_from_its_folder_its_events_or_its_export_to_the_same_report() {
    let root = checkout("judged-again", SCENARIO);
    assert_eq!(run(&root, &[]), Some(0));
    let report = fs::read_to_string(root.join("run/report.json")).unwrap();
    for recorded in ["run", "run/events.jsonl"] {
        let again = harness(&root, &["check", recorded, "--format", "json"]);
        assert_eq!(String::from_utf8_lossy(&again.stdout), report, "{recorded}: {}", stderr(&again));
    }
    assert_eq!(harness(&root, &["export", "run", "-o", "few.tar.gz"]).status.code(), Some(0));
    let exported = harness(&root, &["check", "few.tar.gz", "--format", "json"]);
    let here = |path: &str| root.join(path).canonicalize().unwrap().display().to_string();
    assert_eq!(String::from_utf8_lossy(&exported.stdout).replace(&here("few.tar.gz"), &here("run")), report);
}

#[test]
fn an_export_is_run_again_to_the_same_verdicts_where_there_is_no_such_scenario() {
    let root = checkout("replayed", SCENARIO);
    run(&root, &[]);
    assert_eq!(harness(&root, &["export", "run", "-o", "few.tar.gz"]).status.code(), Some(0));
    let twice = harness(&root, &["export", "run", "-o", "few.tar.gz"]);
    assert_eq!(twice.status.code(), Some(2), "{}", stderr(&twice));
    let elsewhere = checkout("replayed-elsewhere", SCENARIO);
    fs::remove_file(elsewhere.join("scenarios/few.toml")).unwrap();
    let export = root.join("few.tar.gz").display().to_string();
    let replayed = harness(&elsewhere, &["replay", &export, "--run-dir", "again"]);
    assert_eq!(replayed.status.code(), Some(0), "{}", stderr(&replayed));
    let said = stderr(&replayed);
    assert!(said.contains("this machine is as the one that recorded the run"), "{said}");
    assert!(said.contains("the run was judged as the recorded one, rule by rule"), "{said}");
}

#[test]
fn a_replay_that_is_judged_otherwise_has_lost_determinism() {
    let root = checkout("otherwise", SCENARIO);
    run(&root, &[]);
    let report = root.join("run/report.json");
    let other = fs::read_to_string(&report).unwrap().replacen("\"verdict\": \"fail\"", "\"verdict\": \"pass\"", 1);
    fs::write(&report, other).unwrap();
    let replayed = harness(&root, &["replay", "run", "--run-dir", "again"]);
    assert_eq!(replayed.status.code(), Some(16), "{}", stderr(&replayed));
    assert!(stderr(&replayed).contains("LATENCY-strict: pass then, fail now"), "{}", stderr(&replayed));
}

#[test]
fn a_should_that_fails_counts_only_where_that_is_asked_for() {
    let root = checkout("strict", SCENARIO);
    assert_eq!(run(&root, &[]), Some(0));
    assert_eq!(harness(&root, &["check", "run", "--strict"]).status.code(), Some(12));
    assert_eq!(run(&root, &["--strict"]), Some(12));
    let observed = checkout("observed", &SCENARIO.replace("\"should\"", "\"observe\""));
    assert_eq!(run(&observed, &["--strict"]), Some(0));
}

#[test]
fn a_known_failure_does_not_fail_a_run_until_its_day_has_passed_or_it_is_over() {
    let root = checkout("known", &SCENARIO.replace("\"should\"", "\"must\""));
    let listed = |rule: &str, until: &str| {
        let entry =
            format!("scenario = \"few\"\nrule = \"{rule}\"\nowner = \"ada\"\nuntil = {until}\nwhy = \"slow\"\n");
        fs::write(root.join("known.toml"), format!("[[known]]\n{entry}")).unwrap();
    };
    // Nobody may take a failure on for longer than a quarter.
    let date = Command::new("date").args(["-u", "-d", "+30 days", "+%F"]).output().unwrap();
    let soon = String::from_utf8(date.stdout).unwrap().trim().to_owned();
    assert_eq!(run(&root, &[]), Some(12));
    listed("LATENCY-strict", "9999-12-31");
    assert_eq!(run(&root, &[]), Some(14));
    listed("LATENCY-strict", &soon);
    assert_eq!(run(&root, &[]), Some(0));
    let shown = harness(&root, &["check", "run"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("known    LATENCY-strict") && shown.contains(&format!("known until {soon} (ada): slow")),
        "{shown}"
    );
    listed("LATENCY-strict", "2020-01-01");
    assert_eq!(harness(&root, &["check", "run"]).status.code(), Some(12));
    listed("MONEY-1", &soon);
    assert_eq!(run(&root, &[]), Some(12), "a rule that broke outweighs one that holds again");
    fs::write(root.join("scenarios/few.toml"), SCENARIO).unwrap();
    assert_eq!(run(&root, &[]), Some(18));
    listed("MONEY-99", &soon);
    let mistyped = harness(&root, &["check", "run"]);
    assert_eq!(mistyped.status.code(), Some(14));
    assert!(
        stderr(&mistyped).contains("known.toml:3:8") && stderr(&mistyped).contains("MONEY-1"),
        "{}",
        stderr(&mistyped)
    );
}

#[test]
fn what_cannot_be_judged_ends_with_14_and_says_where_and_why() {
    let root = checkout("unreadable", SCENARIO);
    run(&root, &[]);
    let events = fs::read_to_string(root.join("run/events.jsonl")).unwrap();
    fs::create_dir(root.join("bare")).unwrap();
    let lines: Vec<&str> = events.lines().collect();
    let bare = root.join("bare/events.jsonl");
    let complaint = |args: &[&str]| {
        let checked = harness(&root, args);
        assert_eq!(checked.status.code(), Some(14), "{}", stderr(&checked));
        stderr(&checked)
    };
    assert!(complaint(&["check", "nowhere"]).contains("there is no file or folder nowhere"));
    assert!(complaint(&["check", "bare"]).contains("there is no events.jsonl in it"));
    for (text, said) in [
        (String::new(), "events.jsonl is empty"),
        (events[..events.len() - 5].to_owned(), ": the line is cut off after"),
        (format!("{}\nhello\n", lines[0]), "events.jsonl:2:1: the line is no JSON"),
        (format!("{}\n", lines[..9].join("\n")), "ends at line 9 without the end of its run"),
        (events.replace("\"schema\":1", "\"schema\":99"), "the history is of version 99"),
        (events.clone(), "--scenario few"),
    ] {
        fs::write(&bare, text).unwrap();
        let complaint = complaint(&["check", "bare"]);
        assert!(complaint.contains(said), "{complaint}");
    }
    assert_eq!(harness(&root, &["check", "bare", "--scenario", "few"]).status.code(), Some(0));
    assert!(complaint(&["check", "bare", "--scenario", "outage"]).contains("of scenario `few`, and not of `outage`"));
    assert!(complaint(&["export", "bare"]).contains("has no manifest.json"));
    fs::write(root.join("no.tar.gz"), "hello").unwrap();
    assert!(complaint(&["replay", "no.tar.gz"]).contains("is no export of a run"));
}
