//! The harness's program as a test sees it.

use serde_json::Value;
use std::{
    process::{Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test of this program runs a world.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn harness(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    // The harness finds its scenarios above the working directory.
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.env_remove("X402_FACILITATOR_URL");
    command
}

/// Runs to the end. Progress goes where the test's own output goes, so that a slow set-up is seen to move.
pub fn run(args: &[&str]) -> Output {
    harness(args).stderr(Stdio::inherit()).output().expect("the harness was built for this test")
}

/// The report of a scenario, and the exit code.
pub fn report(scenario: &str) -> (Value, i32) {
    let output = run(&["scenario", scenario, "--format", "json"]);
    let stdout = String::from_utf8(output.stdout).expect("a report is UTF-8");
    let report = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: not a report alone: {stdout}"));
    (report, output.status.code().expect("it was not killed"))
}

/// Exit code, stdout and stderr, for what ends at once.
pub fn run_quietly(args: &[&str]) -> (i32, String, String) {
    let output = harness(args).output().expect("the harness was built for this test");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("it was not killed"), text(output.stdout), text(output.stderr))
}
