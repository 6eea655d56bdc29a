//! wrangler, and with it workerd and esbuild. Pinned exactly: the plugin interface that stands in for dispatch
//! namespaces changes between releases.

use std::path::{Path, PathBuf};

use super::{Found, Requirement, SetupError, Site, npm, versions};

pub struct Wrangler;

/// The runtime itself, as wrangler ships it.
pub fn workerd(modules: &Path) -> PathBuf {
    let (os, arch) = npm::platform();
    // What npm calls x64, workerd's packages call 64.
    let arch = if arch == "x64" { "64" } else { arch };
    modules.join(format!("@cloudflare/workerd-{os}-{arch}/bin/workerd"))
}

/// The program with which wrangler builds Workers.
pub fn esbuild(modules: &Path) -> PathBuf {
    let (os, arch) = npm::platform();
    modules.join(format!("@esbuild/{os}-{arch}/bin/esbuild"))
}

impl Requirement for Wrangler {
    fn name(&self) -> &'static str {
        "wrangler"
    }

    fn wanted(&self) -> String {
        versions::WRANGLER.to_owned()
    }

    fn found(&self, site: &Site) -> Option<Found> {
        let path = npm::TOOLS.installed(site)?.join("wrangler");
        let what = npm::version(&path)?;
        (what == versions::WRANGLER).then_some(Found { what, path })
    }

    fn mend(&self) -> &'static str {
        "run `harness setup`; npm must reach its registry"
    }

    fn doing(&self) -> &'static str {
        "npm ci from the lock file: wrangler, workerd, esbuild, node, binaryen (once per lock file, about 20 s, 500 MB)"
    }

    fn provide(&self, site: &Site) -> Result<(), SetupError> {
        npm::TOOLS.install(site).map(drop)
    }
}
