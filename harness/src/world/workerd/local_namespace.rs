//! A dispatch namespace for Workers under plain workerd: each tenant is a service of the same process. Surprising constraint:
//! nothing cuts these tenants off. They are here to be compared with a handler that runs inside its server, so the dispatch
//! namespace that enforces (`namespace/`) would be most of the difference.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use dispatcher_core::plan::Limits;

use super::capnp::{list, module, quoted, text_binding};
use super::{WorkerdError, write};
use crate::world::TenantDouble;
use crate::world::namespace::TENANT;

/// The compatibility date of a dispatch namespace that enforces.
const TENANTS_COMPATIBILITY_DATE: &str = "2026-04-01";
const NAMESPACE: &str = "dispatch-namespace";
const ASSETS: [(&str, &str); 3] = [
    ("namespace.mjs", include_str!("../../../assets/bench/namespace.mjs")),
    ("counted.mjs", include_str!("../../../assets/bench/counted.mjs")),
    ("tenant.mjs", TENANT),
];

#[derive(Clone, Debug)]
pub struct LocalNamespace {
    pub tenants: Vec<TenantDouble>,
    /// The limits that each script is to be dispatched with. A dispatch that comes without is answered by the double;
    /// of a script that is not here nothing is asked.
    pub limits: BTreeMap<String, Limits>,
    pub recording: Recording,
}

/// The place at which runs of tenants are reported.
#[derive(Clone, Debug)]
pub enum Recording {
    To { address: SocketAddr, path: String },
    Nowhere,
}

impl LocalNamespace {
    pub(super) fn write(&self, dir: &Path) -> Result<(), WorkerdError> {
        ASSETS.iter().try_for_each(|(name, text)| write(&dir.join("namespace").join(name), text))
    }

    /// The module behind the binding.
    pub(super) fn extension() -> String {
        format!("(modules = [(name = \"{NAMESPACE}\", internal = true, esModule = embed \"namespace/namespace.mjs\")])")
    }

    pub(super) fn services(&self) -> impl Iterator<Item = String> {
        let recorder = match &self.recording {
            Recording::To { address, .. } => {
                Some(format!("(name = \"recorder\", external = (address = \"{address}\", http = ()))"))
            }
            Recording::Nowhere => None,
        };
        recorder.into_iter().chain(self.tenants.iter().map(|tenant| self.tenant(tenant)))
    }

    pub(super) fn binding(&self, name: &str) -> String {
        let tenants = self.tenants.iter().map(|TenantDouble { script, .. }| {
            format!("(name = {}, service = {})", quoted(script), quoted(&service(script)))
        });
        let limits = text_binding("LIMITS", &serde_json::to_string(&self.limits).expect("limits are JSON"));
        format!(
            "(name = {}, wrapped = (moduleName = \"{NAMESPACE}\", innerBindings = {}))",
            quoted(name),
            list(tenants.chain([limits]))
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

/// The name of a tenant's service, whatever its script is called.
fn service(script: &str) -> String {
    format!("tenant:{script}")
}
