//! A Worker of one module that only dispatches: what a dispatcher under this runtime cannot be cheaper than. On the same
//! flags and date as the dispatcher, and before the same tenants.

use std::collections::BTreeMap;
use std::path::Path;

use super::capnp::{list, module, quoted, text_binding};
use super::{Hosted, Layout, LocalNamespace, Production, SocketStyle, WorkerdError, write};

#[derive(Clone, Debug)]
pub struct BareDispatcher {
    pub production: Production,
    /// Its source.
    pub module: &'static str,
    pub vars: BTreeMap<String, String>,
    pub namespace: LocalNamespace,
}

impl Hosted for BareDispatcher {
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError> {
        write(&dir.join("worker.mjs"), self.module)?;
        self.namespace.write(dir)?;
        let Production { compatibility_date, compatibility_flags, dispatch_namespaces, .. } = &self.production;
        let vars = self.vars.iter().map(|(name, value)| text_binding(name, value));
        let main = format!(
            "(name = \"main\", worker = (modules = [{}], compatibilityDate = {}, compatibilityFlags = {}, bindings = {}))",
            module("worker.mjs", "worker.mjs"),
            quoted(compatibility_date),
            list(compatibility_flags.iter().map(|flag| quoted(flag))),
            list(vars.chain([self.namespace.binding(&dispatch_namespaces[0].binding)])),
        );
        let services = std::iter::once(main).chain(self.namespace.services()).collect();
        Ok(Layout { services, extensions: vec![LocalNamespace::extension()], socket: SocketStyle::Host })
    }
}
