//! The official server library as a Worker: the opponent of `bench` and the other column of `conformance`. Installed when
//! one of them first asks for it, and by no other command: most people never need its 110 MB.

use super::{Cancelled, Progress, SetupError, Site, Toolchain, child::Job, npm};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use system::clock::{Clock as _, SystemClock};

/// The Worker of `harness/assets/reference`, in one module.
#[derive(Clone, Debug)]
pub struct Reference {
    pub module: PathBuf,
    /// Name and version of the library that it is made of.
    pub library: String,
}

/// Its version is what the module claims to be.
const LIBRARY: &str = "@x402/hono";

pub fn build_reference(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Reference, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    let modules = packages(&site)?;
    // Bundled each time, which takes a tenth of a second and so needs no stamp.
    let module = workspace.join("target/reference/worker.mjs");
    let mut esbuild = Command::new(toolchain.esbuild());
    esbuild
        .arg(workspace.join("harness/assets/reference/worker.mjs"))
        // What wrangler passes for a Worker, and minified as a deployed one is.
        .args(["--bundle", "--minify", "--format=esm", "--platform=neutral", "--target=es2024"])
        .args(["--main-fields=browser,module,main", "--conditions=workerd,worker,browser"])
        .args(["--alias:url=node:url", "--external:node:*"])
        .arg(format!("--outfile={}", module.display()))
        .env("NODE_PATH", &modules);
    let way_out = "the message says what the reference Worker imports and cannot find";
    Job { step: "reference bundle", log: "reference-bundle", way_out, time_out: None }.run(&site, &mut esbuild)?;
    let version = npm::version(&modules.join(LIBRARY)).ok_or(SetupError::StillMissing {
        requirement: LIBRARY,
        mend: "delete the npm-reference folder of the tool cache and run the command again",
    })?;
    Ok(Reference { module, library: format!("{LIBRARY} {version}") })
}

/// The `node_modules` of the official libraries, installed if it is not there.
pub(super) fn packages(site: &Site) -> Result<PathBuf, SetupError> {
    if let Some(modules) = npm::REFERENCE.installed(site) {
        return Ok(modules);
    }
    site.say(&format!("{}  npm ci from the lock file (once, about 10 s, 110 MB) ...", npm::REFERENCE.step));
    let watch = SystemClock::start();
    let modules = npm::REFERENCE.install(site)?;
    site.say(&format!("{}  done in {} s", npm::REFERENCE.step, watch.now_us() / 1_000_000));
    Ok(modules)
}
