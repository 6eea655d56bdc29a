//! The binary as a user meets it: exit codes, and what goes to which stream.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn harness(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness")).args(args).env("NO_COLOR", "1").output().expect("the binary was built")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_broken_scenario_ends_with_14_and_names_its_line_and_column() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("broken.toml");
    let outage = include_str!("../../scenarios/outage.toml").replace("\"standby\"]", "\"stand by\"]");
    fs::write(&file, &outage).expect("the folder is cargo's own for this");
    let line = 1 + outage.lines().position(|line| line.starts_with("facilitators")).expect("it has some");
    let output = harness(&["scenario", &file.display().to_string()]);
    assert_eq!(output.status.code(), Some(14));
    assert!(stderr(&output).contains(&format!("broken.toml:{line}:")), "{}", stderr(&output));
    assert!(stderr(&output).contains("`stand by` is not a name"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "errors are not output");
}

#[test]
fn a_scenario_that_does_not_exist_ends_with_14_and_the_nearest() {
    let output = harness(&["scenario", "outrage"]);
    assert_eq!(output.status.code(), Some(14));
    assert!(stderr(&output).contains("did you mean `outage`?"), "{}", stderr(&output));
}

#[test]
fn the_list_goes_to_stdout() {
    let output = harness(&["list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("outage "), "{}", stdout(&output));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    assert_eq!(harness(&["scenaro", "outage"]).status.code(), Some(2));
    assert_eq!(harness(&["scenario", "outage", "--seed", "9223372036854775808"]).status.code(), Some(2));
    assert_eq!(harness(&["list", "--faults", "--checkers"]).status.code(), Some(2));
}
