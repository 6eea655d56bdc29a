//! The dispatcher's release bundle under plain workerd: its Durable Objects in SQLite on disk, and the namespace double that
//! `wrangler dev` runs too, without the plugin around it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, Production, WorkerdError, copy, write};
use crate::world::TenantDouble;
use crate::world::namespace::{self, PLUGIN_NAME};

/// As in `plugin.cjs`.
const NAMESPACE_COMPATIBILITY_DATE: &str = "2026-04-01";
/// Its storage's folder.
const STORAGE: &str = "storage";
/// Files of the built bundle.
const BUNDLE: [&str; 2] = ["index.js", "index_bg.wasm"];
/// Takes reports of tenant runs and forgets them, so that a measurement does not pay for the harness's own bookkeeping.
const FORGETS: &str = "export default { fetch: () => new Response(null, { status: 204 }) };\n";

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
        for (name, text) in namespace::ASSETS {
            write(&dir.join("namespace").join(name), text)?;
        }
        write(&dir.join("namespace/forgets.mjs"), FORGETS)?;
        let storage = dir.join(STORAGE);
        std::fs::create_dir_all(&storage).map_err(|source| WorkerdError::Write { path: storage.clone(), source })?;
        let recorder = match &self.recording {
            Recording::To { address, .. } => {
                format!("(name = \"recorder\", external = (address = \"{address}\", http = ()))")
            }
            Recording::Nowhere => own_worker("recorder", "forgets.mjs"),
        };
        let services = vec![
            format!("(name = \"main\", worker = {})", self.worker()),
            format!(
                "(name = \"{STORAGE}\", disk = (path = {}, writable = true))",
                quoted(&storage.display().to_string())
            ),
            own_worker("outbound", "outbound.mjs"),
            recorder,
        ];
        let extension = format!(
            "(modules = [(name = \"{PLUGIN_NAME}:dispatcher\", internal = true, \
             esModule = embed \"namespace/dispatcher.mjs\")])"
        );
        Ok(Layout { services, extensions: vec![extension] })
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
        let classes = objects.iter().map(|object| {
            let class = quoted(&object.class_name);
            format!("(className = {class}, uniqueKey = {class}, enableSql = true)")
        });
        format!(
            "(\n  modules = [{}, (name = \"index_bg.wasm\", wasm = embed \"bundle/index_bg.wasm\")],\n  \
             compatibilityDate = {},\n  compatibilityFlags = {},\n  bindings = {},\n  \
             durableObjectNamespaces = {},\n  durableObjectStorage = (localDisk = \"{STORAGE}\"))",
            module("index.js", "bundle/index.js"),
            quoted(compatibility_date),
            list(compatibility_flags.iter().map(|flag| quoted(flag))),
            list(bindings),
            list(classes),
        )
    }

    /// What `plugin.cjs` has Miniflare generate.
    fn namespace_binding(&self, name: &str) -> String {
        let recorder_path = match &self.recording {
            Recording::To { path, .. } => path,
            Recording::Nowhere => "/",
        };
        let tenants: Vec<_> =
            self.tenants.iter().map(|tenant| json!({"script": tenant.script, "canary": tenant.canary})).collect();
        let namespace = json!({
            "compatibilityDate": NAMESPACE_COMPATIBILITY_DATE,
            "recorderPath": recorder_path,
            "tenants": tenants,
            "missing": namespace::asset("missing.mjs"),
            "shim": namespace::asset("shim.mjs"),
            "subrequestLimit": namespace::asset("subrequest-limit.mjs"),
            "tenant": namespace::asset("tenant.mjs"),
        });
        let inner = [
            format!("(name = \"loader\", workerLoader = (id = \"{PLUGIN_NAME}\"))"),
            "(name = \"recorder\", service = \"recorder\")".to_owned(),
            "(name = \"outbound\", service = \"outbound\")".to_owned(),
            format!("(name = \"namespace\", json = {})", quoted(&namespace.to_string())),
        ];
        format!(
            "(name = {}, wrapped = (moduleName = \"{PLUGIN_NAME}:dispatcher\", innerBindings = {}))",
            quoted(name),
            list(inner)
        )
    }
}

fn own_worker(name: &str, file: &str) -> String {
    format!(
        "(name = \"{name}\", worker = (modules = [{}], compatibilityDate = \"{NAMESPACE_COMPATIBILITY_DATE}\"))",
        module(file, &format!("namespace/{file}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_runs_on_the_date_that_it_has_under_wrangler() {
        assert!(namespace::asset("plugin.cjs").contains(&format!("\"{NAMESPACE_COMPATIBILITY_DATE}\"")));
    }
}
