//! Where a dispatch namespace's tools are. The plugin has a folder of the cache that stays the same, because people paste
//! its path into their configs.

use std::path::PathBuf;

use super::{Requirement, SetupError, Site, node::Node, npm, wrangler, wrangler::Wrangler};

#[derive(Clone, Debug)]
pub struct NamespaceTools {
    pub workerd: PathBuf,
    /// The folder of the plugin.
    pub plugin: PathBuf,
    /// For a dispatcher that is to run beside the namespace.
    pub node: PathBuf,
    pub wrangler_js: PathBuf,
    pub esbuild: PathBuf,
}

impl NamespaceTools {
    pub(super) fn locate(site: &Site) -> Result<Self, SetupError> {
        let missing = |requirement: &dyn Requirement| SetupError::StillMissing {
            requirement: requirement.name(),
            mend: requirement.mend(),
        };
        let modules = npm::TOOLS.installed(site).ok_or_else(|| missing(&Wrangler))?;
        Ok(Self {
            workerd: wrangler::workerd(&modules),
            plugin: site.cache().slot("namespace-plugin"),
            node: Node.found(site).ok_or_else(|| missing(&Node))?.path,
            wrangler_js: modules.join("wrangler/bin/wrangler.js"),
            esbuild: wrangler::esbuild(&modules),
        })
    }
}
