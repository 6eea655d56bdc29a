//! Builds what `harness selftest` runs, from a copy of the sources that has bugs in it: the harness itself with its dispatcher, and
//! the Worker.
//!
//! The copy's harness shares cargo's target folder with the workspace's, and so what both depend on is compiled once. The
//! Worker does not: its program has the same name there, and no build of the one that ships may ever pick up the other.

use super::{
    Bundle, Cancelled, Profile, Progress, SetupError, Site, Toolchain, WorkerCrate,
    bundle::{build_worker, dispatcher},
    cargo_tool::cargo,
    child::Job,
};
use crate::planting::{
    self, Texts,
    copy::{self, PROGRAM},
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Builds the harness that simulates the bugs, and hands back the program.
pub fn build_planted(
    workspace: &Path,
    planted: &Texts,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    let _turn = write(workspace, planted)?;
    site.say(
        "self-test  compiling the harness anew, from sources with bugs in them (2 min on 2 cores from nothing, half a minute after \
         a change) ...",
    );
    let target = workspace.join("target");
    let mut command = cargo("build");
    command.args(["-p", "harness", "--bin", PROGRAM]);
    command.current_dir(copy::folder(workspace));
    // Nobody debugs this build, and without debug information it takes half the time and space.
    command.env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let way_out = "the compiler's message says what is wrong with the harness or with a bug's code, which stands behind a mark with its name";
    let job = Job { step: "self-test", log: "selftest-build", way_out, time_out: None };
    job.run(&site, &mut command).inspect_err(|_| {
        let log = fs::read_to_string(site.cache().log(job.log)).unwrap_or_default();
        for bug in planting::found_wrong(&log, planted) {
            site.say(&format!("self-test  the code of the bug `{bug}` does not compile"));
        }
    })?;
    Ok(target.join("debug").join(PROGRAM))
}

/// Builds the Worker that has the bugs, for `harness selftest --tier live`.
pub fn build_planted_dispatcher(
    toolchain: &Toolchain,
    workspace: &Path,
    planted: &Texts,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    let _turn = write(workspace, planted)?;
    let worker = WorkerCrate {
        target_dir: workspace.join("target/selftest/wasm"),
        profile: Profile::Unshrunk,
        ..dispatcher(&copy::folder(workspace))
    };
    build_worker(toolchain, workspace, &worker, progress, cancelled)
}

/// Writes the copy, which is its builder's until the lock is dropped: another self-test may plant other bugs.
fn write(workspace: &Path, planted: &Texts) -> Result<File, SetupError> {
    let folder = copy::folder(workspace);
    fs::create_dir_all(&folder).map_err(SetupError::io("cannot create", &folder))?;
    let path = folder.with_extension("lock");
    let lock = File::create(&path).map_err(SetupError::io("cannot create", &path))?;
    lock.lock().map_err(SetupError::io("cannot lock", &path))?;
    copy::write(workspace, planted).map_err(SetupError::io("cannot copy the sources to", &folder))?;
    Ok(lock)
}
