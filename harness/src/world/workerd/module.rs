//! A Worker of one module under plain workerd, with variables that say what it sells.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, WorkerdError, copy};

#[derive(Clone, Debug)]
pub struct ModuleWorker {
    pub module: PathBuf,
    pub compatibility_date: String,
    pub compatibility_flags: Vec<String>,
    pub vars: BTreeMap<String, String>,
    /// Where runs of the handler are counted.
    pub recorder: Option<SocketAddr>,
}

impl Hosted for ModuleWorker {
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError> {
        copy(&self.module, &dir.join("worker.mjs"))?;
        let recorder = self.recorder.map(|_| "(name = \"RECORDER\", service = \"recorder\")".to_owned());
        let vars = self.vars.iter().map(|(name, value)| text_binding(name, value));
        let main = format!(
            "(name = \"main\", worker = (modules = [{}], compatibilityDate = {}, compatibilityFlags = {}, bindings = {}))",
            module("worker.mjs", "worker.mjs"),
            quoted(&self.compatibility_date),
            list(self.compatibility_flags.iter().map(|flag| quoted(flag))),
            list(vars.chain(recorder)),
        );
        let external = |address| format!("(name = \"recorder\", external = (address = \"{address}\", http = ()))");
        Ok(Layout { services: [main].into_iter().chain(self.recorder.map(external)).collect(), extensions: Vec::new() })
    }
}
