//! A Worker of one module under plain workerd, with variables that say what it sells.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, SocketStyle, WorkerdError, copy, storage};

#[derive(Clone, Debug)]
pub struct ModuleWorker {
    pub module: PathBuf,
    pub compatibility_date: String,
    pub compatibility_flags: Vec<String>,
    pub vars: BTreeMap<String, String>,
    /// The address at which runs of the handler are counted.
    pub recorder: Option<SocketAddr>,
    pub object: Option<DurableObject>,
}

/// A Durable Object class of the module, in SQLite on disk as the dispatcher's are.
#[derive(Clone, Copy, Debug)]
pub struct DurableObject {
    pub binding: &'static str,
    pub class: &'static str,
}

impl Hosted for ModuleWorker {
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError> {
        copy(&self.module, &dir.join("worker.mjs"))?;
        let recorder = self.recorder.map(|_| "(name = \"RECORDER\", service = \"recorder\")".to_owned());
        let vars = self.vars.iter().map(|(name, value)| text_binding(name, value));
        let object = self.object.map(|object| {
            format!("(name = {}, durableObjectNamespace = {})", quoted(object.binding), quoted(object.class))
        });
        let objects = self.object.map_or_else(String::new, |object| storage::of_worker(&[object.class]));
        let main = format!(
            "(name = \"main\", worker = (modules = [{}], compatibilityDate = {}, compatibilityFlags = {}, bindings = {}{objects}))",
            module("worker.mjs", "worker.mjs"),
            quoted(&self.compatibility_date),
            list(self.compatibility_flags.iter().map(|flag| quoted(flag))),
            list(vars.chain(recorder).chain(object)),
        );
        let external = |address| format!("(name = \"recorder\", external = (address = \"{address}\", http = ()))");
        let disk = self.object.map(|_| storage::service(dir)).transpose()?;
        let services = [main].into_iter().chain(self.recorder.map(external)).chain(disk).collect();
        Ok(Layout { services, extensions: Vec::new(), socket: SocketStyle::Host })
    }
}
