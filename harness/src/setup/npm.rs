//! The npm packages, installed once from the lock file: Node itself, wrangler with workerd and esbuild, and binaryen.
//!
//! Three requirements share this one folder, because one `npm ci` is what provides them. Install scripts stay off: the
//! binaries come as optional dependencies, and a package's script has no business running on the user's machine.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use super::{SetupError, Site, child::Job};

const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// `node_modules`, if it is installed.
pub fn installed(site: &Site) -> Option<PathBuf> {
    let modules = site.cache().slot(&key(site).ok()?).join("node_modules");
    modules.is_dir().then_some(modules)
}

/// Installs the packages unless they are there.
pub fn install(site: &Site) -> Result<(), SetupError> {
    let key = key(site)?;
    site.cache().fill(&key, |part| {
        for file in FILES {
            let from = site.data("npm").join(file);
            fs::copy(&from, part.join(file)).map_err(SetupError::io("cannot copy", from))?;
        }
        let job = Job {
            step: "npm packages",
            log: "npm",
            way_out: "Node's npm (20 or newer) must be on PATH and reach its registry",
            time_out: None,
        };
        let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
        job.run(site, Command::new("npm").args(args).current_dir(part))
    })?;
    Ok(())
}

/// How npm calls this machine in the names of packages that carry binaries.
pub fn platform() -> (&'static str, &'static str) {
    let os = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    (os, arch)
}

/// The version that a package in `node_modules` says it has.
pub fn version(package: &Path) -> Option<String> {
    let manifest = fs::read_to_string(package.join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).ok()?;
    manifest.get("version")?.as_str().map(str::to_owned)
}

fn key(site: &Site) -> Result<String, SetupError> {
    let mut hasher = DefaultHasher::new();
    for file in FILES {
        let path = site.data("npm").join(file);
        fs::read(&path).map_err(SetupError::io("cannot read", path))?.hash(&mut hasher);
    }
    Ok(format!("npm-{:016x}", hasher.finish()))
}
