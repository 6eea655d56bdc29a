//! The wasm-bindgen command at the version in the workspace's Cargo.lock, built from `harness/toolchain/wasm-bindgen`
//! (its `main.rs` says why not from the published command-line package).

use std::fs;

use super::{Found, Requirement, SetupError, Site, cargo_tool::CargoTool, versions};

pub struct WasmBindgen {
    pub wanted: String,
}

impl WasmBindgen {
    fn tool(&self) -> CargoTool<'_> {
        CargoTool { name: "wasm-bindgen", version: &self.wanted }
    }
}

impl Requirement for WasmBindgen {
    fn name(&self) -> &'static str {
        "wasm-bindgen"
    }

    fn wanted(&self) -> String {
        self.wanted.clone()
    }

    fn found(&self, site: &Site) -> Option<Found> {
        self.tool().found(site)
    }

    fn mend(&self) -> &'static str {
        "run `harness setup`; cargo must reach its registry"
    }

    fn doing(&self) -> &'static str {
        "compiling (once per version, about 40 s on 2 cores)"
    }

    fn provide(&self, site: &Site) -> Result<(), SetupError> {
        let source = site.data("wasm-bindgen");
        let lock_file = source.join("Cargo.lock");
        let lock = fs::read_to_string(&lock_file).map_err(SetupError::io("cannot read", lock_file))?;
        let tool = versions::locked(&lock, "wasm-bindgen-cli-support").unwrap_or_else(|| "nothing".to_owned());
        if tool != self.wanted {
            return Err(SetupError::VersionSkew { locked: self.wanted.clone(), tool });
        }
        self.tool().install(site, &["--path", &source.to_string_lossy()])
    }
}
