//! Builds the load tests, which a gate runs as a program of their own: they stand on the harness, and so it cannot have them in it.

use std::path::{Path, PathBuf};

use super::{Cancelled, Progress, SetupError, Site, cargo_tool::cargo, child::Job};

/// Hands back the program. In the same target folder as the harness, of which it is made.
pub fn build_load_tests(
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    site.say("load tests  compiling (10 s where the harness is built) ...");
    build(&site, workspace, &workspace.join("target"), &[])
}

/// With goose. In a target folder of its own, because it changes the features of what both are made of: cargo would else build
/// the two in turns.
pub fn build_journeys(
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    site.say("load tests  compiling with goose (5 min on 2 cores from nothing, half a minute after a change) ...");
    build(&site, workspace, &workspace.join("target/journeys"), &["--features", "journeys"])
}

fn build(site: &Site, workspace: &Path, target: &Path, features: &[&str]) -> Result<PathBuf, SetupError> {
    let mut command = cargo("build");
    command.args(["-p", "loadtests", "--bin", "loadtests"]).args(features).current_dir(workspace);
    command.env("CARGO_TARGET_DIR", target);
    let way_out = "the compiler's message says what is wrong with the load tests";
    Job { step: "load tests", log: "load-tests-build", way_out, time_out: None }.run(site, &mut command)?;
    Ok(target.join("debug/loadtests"))
}
