//! wrangler, and with it workerd and esbuild. Pinned exactly: the plugin interface that stands in for dispatch
//! namespaces changes between releases.

use super::{Found, Requirement, SetupError, Site, npm, versions};

pub struct Wrangler;

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
