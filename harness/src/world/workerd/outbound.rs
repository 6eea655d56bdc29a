//! The platform's outbound Worker under plain workerd, between a dispatch namespace and a double of the internet.

use std::path::{Path, PathBuf};

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, SocketStyle, WorkerdError, copy, write};

const SHIM: &str = include_str!("../../../assets/outbound/shim.mjs");
const OUTSIDE: &str = include_str!("../../../assets/outbound/outside.mjs");
/// The date in the configuration that ships.
const COMPATIBILITY_DATE: &str = "2026-10-01";
/// Files of the built bundle.
const BUNDLE: [&str; 2] = ["index.js", "index_bg.wasm"];

#[derive(Clone, Debug)]
pub struct OutboundWorker {
    /// Entry of the built bundle.
    pub index_js: PathBuf,
    /// The hosts that no tenant may ask, as the Worker's variable has it.
    pub platform_hosts: Vec<String>,
}

impl Hosted for OutboundWorker {
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError> {
        let bundle = self.index_js.parent().unwrap_or(Path::new("."));
        for file in BUNDLE {
            copy(&bundle.join(file), &dir.join(file))?;
        }
        write(&dir.join("shim.mjs"), SHIM)?;
        write(&dir.join("outside.mjs"), OUTSIDE)?;
        let date = quoted(COMPATIBILITY_DATE);
        let hosts = serde_json::to_string(&self.platform_hosts).expect("a list of texts is JSON");
        // The first module is the main one.
        let modules = list([
            module("shim.mjs", "shim.mjs"),
            module("index.js", "index.js"),
            "(name = \"index_bg.wasm\", wasm = embed \"index_bg.wasm\")".to_owned(),
        ]);
        let bindings = list([text_binding("PLATFORM_HOSTS", &hosts)]);
        let main = format!(
            "(name = \"main\", worker = (modules = {modules}, compatibilityDate = {date}, bindings = {bindings}, \
             globalOutbound = \"outside\"))"
        );
        let outside = format!(
            "(name = \"outside\", worker = (modules = [{}], compatibilityDate = {date}))",
            module("outside.mjs", "outside.mjs")
        );
        // Of a request in absolute form this keeps scheme and host, which are what the Worker judges.
        Ok(Layout { services: vec![main, outside], extensions: Vec::new(), socket: SocketStyle::Proxy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_on_the_date_that_ships() {
        let config = include_str!("../../../../dispatcher/outbound/wrangler.jsonc");
        assert!(config.contains(&format!("\"compatibility_date\": \"{COMPATIBILITY_DATE}\"")));
    }
}
