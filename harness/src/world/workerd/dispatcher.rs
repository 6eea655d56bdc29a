//! The dispatcher's release bundle under plain workerd: its Durable Objects in SQLite on disk, and its tenants as services of
//! the same process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, LocalNamespace, Production, SocketStyle, WorkerdError, copy, storage};

/// Files of the built bundle.
const BUNDLE: [&str; 2] = ["index.js", "index_bg.wasm"];

#[derive(Clone, Debug)]
pub struct DispatcherWorker {
    pub production: Production,
    /// Entry of the built bundle.
    pub index_js: PathBuf,
    /// Variables over production's; secrets are variables here.
    pub vars: BTreeMap<String, String>,
    pub namespace: LocalNamespace,
}

impl Hosted for DispatcherWorker {
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError> {
        let bundle = self.index_js.parent().unwrap_or(Path::new("."));
        for file in BUNDLE {
            copy(&bundle.join(file), &dir.join("bundle").join(file))?;
        }
        self.namespace.write(dir)?;
        let own = [format!("(name = \"main\", worker = {})", self.worker()), storage::service(dir)?];
        let services = own.into_iter().chain(self.namespace.services()).collect();
        Ok(Layout { services, extensions: vec![LocalNamespace::extension()], socket: SocketStyle::Host })
    }
}

impl DispatcherWorker {
    fn worker(&self) -> String {
        let Production { compatibility_date, compatibility_flags, durable_objects, vars, dispatch_namespaces } =
            &self.production;
        let mut vars = vars.clone();
        vars.extend(self.vars.clone());
        let objects = &durable_objects.bindings;
        let bindings = vars
            .iter()
            .map(|(name, value)| text_binding(name, value))
            .chain(objects.iter().map(|object| {
                format!("(name = {}, durableObjectNamespace = {})", quoted(&object.name), quoted(&object.class_name))
            }))
            .chain([self.namespace.binding(&dispatch_namespaces[0].binding)]);
        let classes: Vec<&str> = objects.iter().map(|object| object.class_name.as_str()).collect();
        format!(
            "(\n  modules = [{}, (name = \"index_bg.wasm\", wasm = embed \"bundle/index_bg.wasm\")],\n  \
             compatibilityDate = {},\n  compatibilityFlags = {},\n  bindings = {}{})",
            module("index.js", "bundle/index.js"),
            quoted(compatibility_date),
            list(compatibility_flags.iter().map(|flag| quoted(flag))),
            list(bindings),
            storage::of_worker(&classes),
        )
    }
}
