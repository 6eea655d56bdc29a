//! wasm-opt, which makes the release wasm small. It comes from npm and not from binaryen's own releases, because npm is
//! reachable where a download from a code host is not. It is a Node script, so our Node must come first on PATH.

use super::{Found, Requirement, SetupError, Site, npm, versions};

pub struct WasmOpt;

impl Requirement for WasmOpt {
    fn name(&self) -> &'static str {
        "wasm-opt"
    }

    fn wanted(&self) -> String {
        format!("binaryen {}", versions::BINARYEN)
    }

    fn found(&self, site: &Site) -> Option<Found> {
        let package = npm::TOOLS.installed(site)?.join("binaryen");
        let version = npm::version(&package)?;
        (version == versions::BINARYEN)
            .then(|| Found { what: format!("binaryen {version}"), path: package.join("bin/wasm-opt") })
    }

    fn mend(&self) -> &'static str {
        "run `harness setup`; npm must reach its registry"
    }

    fn doing(&self) -> &'static str {
        "with the npm packages"
    }

    fn provide(&self, site: &Site) -> Result<(), SetupError> {
        npm::TOOLS.install(site).map(drop)
    }
}
