//! The dispatcher's release bundle under plain workerd: its Durable Objects in SQLite on disk, and its tenants as services of
//! the same process. Surprising constraint: nothing cuts these tenants off; they are here to be compared with a handler
//! that runs inside its server, so the dispatch namespace that enforces (`namespace/`) would be most of the difference.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, Production, SocketStyle, WorkerdError, copy, storage, write};
use crate::world::TenantDouble;
use crate::world::namespace::TENANT;

/// As a dispatch namespace that enforces has it.
const TENANTS_COMPATIBILITY_DATE: &str = "2026-04-01";
const NAMESPACE: &str = "dispatch-namespace";
const ASSETS: [(&str, &str); 3] = [
    ("namespace.mjs", include_str!("../../../assets/bench/namespace.mjs")),
    ("counted.mjs", include_str!("../../../assets/bench/counted.mjs")),
    ("tenant.mjs", TENANT),
];
/// Files of the built bundle.
const BUNDLE: [&str; 2] = ["index.js", "index_bg.wasm"];

#[derive(Clone, Debug)]
pub struct DispatcherWorker {
    pub production: Production,
    /// Entry of the built bundle.
    pub index_js: PathBuf,
    /// Variables over production's; secrets are variables here.
    pub vars: BTreeMap<String, String>,
    pub tenants: Vec<TenantDouble>,
    pub recording: Recording,
}

/// Where runs of tenants are reported.
#[derive(Clone, Debug)]
pub enum Recording {
    To { address: SocketAddr, path: String },
    Nowhere,
}

impl Hosted for DispatcherWorker {
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError> {
        let bundle = self.index_js.parent().unwrap_or(Path::new("."));
        for file in BUNDLE {
            copy(&bundle.join(file), &dir.join("bundle").join(file))?;
        }
        for (name, text) in ASSETS {
            write(&dir.join("namespace").join(name), text)?;
        }
        let own = [format!("(name = \"main\", worker = {})", self.worker()), storage::service(dir)?];
        let recorder = match &self.recording {
            Recording::To { address, .. } => {
                Some(format!("(name = \"recorder\", external = (address = \"{address}\", http = ()))"))
            }
            Recording::Nowhere => None,
        };
        let tenants = self.tenants.iter().map(|tenant| self.tenant(tenant));
        let services = own.into_iter().chain(recorder).chain(tenants).collect();
        let extension = format!(
            "(modules = [(name = \"{NAMESPACE}\", internal = true, esModule = embed \"namespace/namespace.mjs\")])"
        );
        Ok(Layout { services, extensions: vec![extension], socket: SocketStyle::Host })
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
            .chain([self.namespace_binding(&dispatch_namespaces[0].binding)]);
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

    fn namespace_binding(&self, name: &str) -> String {
        let tenants = self.tenants.iter().map(|TenantDouble { script, .. }| {
            format!("(name = {}, service = {})", quoted(script), quoted(&service(script)))
        });
        format!(
            "(name = {}, wrapped = (moduleName = \"{NAMESPACE}\", innerBindings = {}))",
            quoted(name),
            list(tenants)
        )
    }

    fn tenant(&self, TenantDouble { script, canary }: &TenantDouble) -> String {
        let tenant = module("tenant.mjs", "namespace/tenant.mjs");
        let mut modules = vec![tenant];
        let mut bindings = vec![text_binding("SCRIPT", script), text_binding("CANARY", canary)];
        if let Recording::To { path, .. } = &self.recording {
            // The first module is the main one.
            modules.insert(0, module("counted.mjs", "namespace/counted.mjs"));
            bindings.push("(name = \"RECORDER\", service = \"recorder\")".to_owned());
            bindings.push(text_binding("RECORDER_PATH", path));
        }
        format!(
            "(name = {}, worker = (modules = {}, compatibilityDate = \"{TENANTS_COMPATIBILITY_DATE}\", bindings = {}))",
            quoted(&service(script)),
            list(modules),
            list(bindings)
        )
    }
}

/// Of a tenant, whatever its script is called.
fn service(script: &str) -> String {
    format!("tenant:{script}")
}
