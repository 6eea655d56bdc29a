//! Builds the load tests, which a gate runs as a program of their own: they stand on the harness, and so it cannot have them in it.

use std::path::{Path, PathBuf};

use super::{Cancelled, Progress, SetupError, Site, cargo_tool::cargo, child::Job};

/// Hands back the program. In the same target folder as the harness, of which they are made.
pub fn build_load_tests(
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    site.say("load tests  compiling (10 s where the harness is built) ...");
    let mut command = cargo("build");
    command.args(["-p", "loadtests", "--bin", "loadtests"]).current_dir(workspace);
    let way_out = "the compiler's message says what is wrong with the load tests";
    Job { step: "load tests", log: "load-tests-build", way_out, time_out: None }.run(&site, &mut command)?;
    Ok(workspace.join("target/debug/loadtests"))
}
