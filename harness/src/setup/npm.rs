//! npm packages, installed once per lock file. Install scripts stay off: the binaries come as optional dependencies, and
//! a package's script has no business running on the user's machine.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use super::{SetupError, Site, child::Job};

/// Node itself, wrangler with workerd and esbuild, and binaryen. Three requirements share this one folder, because one
/// `npm ci` is what provides them.
pub const TOOLS: Packages = Packages { lock: "npm", step: "npm packages", options: &[] };

/// The official server and facilitator libraries, which `bench`, `conformance` and official worlds need. Their optional parts are wallets and payment
/// pages that no server uses, and their peer ranges contradict each other.
pub const REFERENCE: Packages =
    Packages { lock: "npm-reference", step: "reference packages", options: &["--omit=optional", "--legacy-peer-deps"] };

/// The official client, for `pay --client official`.
pub const CLIENT: Packages =
    Packages { lock: "npm-client", step: "official client", options: &["--omit=optional", "--legacy-peer-deps"] };

const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// The packages that one lock file installs.
pub struct Packages {
    /// Folder of the lock file among set-up's data; names the cache slot and the log too.
    lock: &'static str,
    pub step: &'static str,
    options: &'static [&'static str],
}

impl Packages {
    /// `node_modules`, if it is installed.
    pub fn installed(&self, site: &Site) -> Option<PathBuf> {
        let modules = site.cache().slot(&self.key(site).ok()?).join("node_modules");
        modules.is_dir().then_some(modules)
    }

    /// Installs the packages unless they are there, and gives `node_modules`.
    pub fn install(&self, site: &Site) -> Result<PathBuf, SetupError> {
        let slot = site.cache().fill(&self.key(site)?, |part| {
            for file in FILES {
                let from = site.data(self.lock).join(file);
                fs::copy(&from, part.join(file)).map_err(SetupError::io("cannot copy", from))?;
            }
            let job = Job {
                step: self.step,
                log: self.lock,
                way_out: "Node's npm (20 or newer) must be on PATH and reach its registry",
                time_out: None,
            };
            let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
            job.run(site, Command::new("npm").args(args).args(self.options).current_dir(part))
        })?;
        Ok(slot.join("node_modules"))
    }

    fn key(&self, site: &Site) -> Result<String, SetupError> {
        let mut hasher = DefaultHasher::new();
        for file in FILES {
            let path = site.data(self.lock).join(file);
            fs::read(&path).map_err(SetupError::io("cannot read", path))?.hash(&mut hasher);
        }
        Ok(format!("{}-{:016x}", self.lock, hasher.finish()))
    }
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
