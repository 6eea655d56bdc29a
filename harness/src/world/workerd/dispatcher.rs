//! The dispatcher's release bundle under plain workerd: its Durable Objects in SQLite on disk, and its tenants as services of
//! the same process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::capnp::{list, module, quoted, text_binding, wasm};
use super::{Hosted, Layout, LocalNamespace, Production, SocketStyle, WorkerdError, copy, storage};

/// The entry of the built bundle.
const ENTRY: &str = "index.js";

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
        let modules = modules(bundle)?;
        for file in &modules {
            copy(&bundle.join(file), &dir.join("bundle").join(file))?;
        }
        self.namespace.write(dir)?;
        let own = [format!("(name = \"main\", worker = {})", self.worker(&modules)), storage::service(dir)?];
        let services = own.into_iter().chain(self.namespace.services()).collect();
        Ok(Layout { services, extensions: vec![LocalNamespace::extension()], socket: SocketStyle::Host })
    }
}

impl DispatcherWorker {
    fn worker(&self, modules: &[String]) -> String {
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
            "(\n  modules = {},\n  compatibilityDate = {},\n  compatibilityFlags = {},\n  bindings = {}{})",
            list(modules.iter().map(|name| {
                let path = format!("bundle/{name}");
                if name.ends_with(".wasm") { wasm(name, &path) } else { module(name, &path) }
            })),
            quoted(compatibility_date),
            list(compatibility_flags.iter().map(|flag| quoted(flag))),
            list(bindings),
            storage::of_worker(&classes),
        )
    }
}

/// The modules beside the entry, and the entry before them, as the runtime wants it. A bundle of an earlier version has
/// fewer.
fn modules(bundle: &Path) -> Result<Vec<String>, WorkerdError> {
    let failed = |source| WorkerdError::Read { path: bundle.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(bundle).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name.ends_with(".js") || name.ends_with(".wasm"));
    names.sort_by_key(|name| (name != ENTRY, name.clone()));
    Ok(names)
}
