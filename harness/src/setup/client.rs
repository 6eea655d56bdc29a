//! The official client as a program for Node. Installed when `harness pay --client official` first asks for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Cancelled, Progress, SetupError, Site, npm};
use system::clock::{Clock as _, SystemClock};

/// Name of the program beside the packages that it imports.
const PROGRAM: &str = "pay.mjs";

/// Installs the library if it is not there, and returns the program's file.
pub fn official_client(
    source: &str,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<PathBuf, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    let modules = match npm::CLIENT.installed(&site) {
        Some(modules) => modules,
        None => {
            site.say(&format!("{}  npm ci from the lock file (once, about 15 s, 92 MB) ...", npm::CLIENT.step));
            let watch = SystemClock::start();
            let modules = npm::CLIENT.install(&site)?;
            site.say(&format!("{}  done in {} s", npm::CLIENT.step, watch.now_us() / 1_000_000));
            modules
        }
    };
    // Node looks for packages at and above the program's own folder.
    let program = modules.with_file_name(PROGRAM);
    if fs::read_to_string(&program).ok().as_deref() != Some(source) {
        fs::write(&program, source).map_err(SetupError::io("cannot write", &program))?;
    }
    Ok(program)
}
