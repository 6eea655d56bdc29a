//! The official facilitator library as a program for Node, in one file: `harness/assets/official-facilitator` and what it
//! imports. Its packages are the reference's, so who has those waits for nothing.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Cancelled, Progress, SetupError, Site, Toolchain, child::Job, reference};

const SOURCES: &str = "harness/assets/official-facilitator";
const SERVER: &str = "server.mjs";
/// The search for payments that the library throws at, which a person runs by hand.
const FUZZER: &str = "fuzz.mjs";

/// Installs the library if it is not there, and returns the server's file.
pub fn build_official_facilitator(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    let modules = reference::packages(&site)?;
    let folder = workspace.join("target/official-facilitator");
    // Bundled each time, which takes a fifth of a second and so needs no stamp.
    let mut esbuild = Command::new(toolchain.esbuild());
    esbuild
        .args([SERVER, FUZZER].map(|file| workspace.join(SOURCES).join(file)))
        .args(["--bundle", "--format=esm", "--platform=node", "--target=node20", "--out-extension:.js=.mjs"])
        .arg(format!("--outdir={}", folder.display()))
        .env("NODE_PATH", &modules);
    let way_out = "the message says what the server imports and cannot find";
    Job { step: "official facilitator", log: "official-facilitator", way_out, time_out: None }
        .run(&site, &mut esbuild)?;
    Ok(folder.join(SERVER))
}
