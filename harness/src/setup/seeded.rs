//! Builds the harness itself with seeded bugs in its dispatcher, for `harness selftest`.
//!
//! In a target folder of its own: cargo would else build the two in turns, and each would throw away what the other needs.

use std::path::{Path, PathBuf};

use super::{Cancelled, Progress, SetupError, Site, cargo_tool::cargo, child::Job};

/// The feature that has the bugs compiled in. Off in every other build.
const FEATURE: &str = "seeded-bugs";

/// Hands back the program.
pub fn build_seeded(
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    let target = workspace.join("target/selftest");
    site.say(
        "self-test  compiling the harness anew, with bugs that no other build may have (2 min on 2 cores from nothing, half a \
         minute after a change) ...",
    );
    let mut command = cargo("build");
    command.args(["-p", "harness", "--bin", "harness", "--features", FEATURE]).current_dir(workspace);
    // Nobody debugs this build, and without debug information it takes half the time and space.
    command.env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let way_out = "the compiler's message says what is wrong with the harness or with a seeded bug's place";
    Job { step: "self-test", log: "selftest-build", way_out, time_out: None }.run(&site, &mut command)?;
    Ok(target.join("debug/harness"))
}
