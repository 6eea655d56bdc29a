//! The namespace double's files: a Miniflare plugin and what it loads, written into the run directory at the start.
//! Surprising constraint: Miniflare resolves the plugin from its own installation, so its path must be absolute.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{TenantDouble, WorldError};

/// Name under which `plugin.cjs` exports the plugin.
pub const PLUGIN_NAME: &str = "dispatch-namespace-double";

const PLUGIN_FILE: &str = "plugin.cjs";
pub(super) const ASSETS: [(&str, &str); 8] = [
    (PLUGIN_FILE, include_str!("../../assets/namespace/plugin.cjs")),
    ("dispatcher.mjs", include_str!("../../assets/namespace/dispatcher.mjs")),
    ("missing.mjs", include_str!("../../assets/namespace/missing.mjs")),
    ("outbound.mjs", include_str!("../../assets/namespace/outbound.mjs")),
    ("shim.mjs", include_str!("../../assets/namespace/shim.mjs")),
    ("subrequest-limit.mjs", include_str!("../../assets/namespace/subrequest-limit.mjs")),
    ("whole-characters.cjs", include_str!("../../assets/namespace/whole-characters.cjs")),
    ("tenant.mjs", include_str!("../../assets/namespace/tenant.mjs")),
];

/// What the generated config tells the plugin.
#[derive(Clone, Debug)]
pub struct NamespaceDouble<'a> {
    pub plugin: PathBuf,
    pub recorder_address: SocketAddr,
    pub recorder_path: &'a str,
    pub tenants: &'a [TenantDouble],
}

/// The text of one of the double's files.
pub(super) fn asset(name: &str) -> &'static str {
    let found = ASSETS.iter().find(|(file, _)| *file == name);
    found.map(|(_, text)| *text).expect("every file of the double is in the list")
}

/// Gives the path of the plugin.
pub fn write_assets(run_dir: &Path) -> Result<PathBuf, WorldError> {
    let dir = run_dir.join("namespace");
    for (name, text) in ASSETS {
        write(&dir.join(name), text)?;
    }
    Ok(dir.join(PLUGIN_FILE))
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), WorldError> {
    let error = |source| WorldError::Write { path: path.to_path_buf(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(error)?;
    }
    fs::write(path, text).map_err(error)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_double_is_written() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/namespace");
        let kept: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        let run_dir = std::env::temp_dir().join(format!("world-assets-{}", std::process::id()));
        let plugin = write_assets(&run_dir).unwrap();
        let written: BTreeSet<_> =
            fs::read_dir(plugin.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
        fs::remove_dir_all(run_dir).unwrap();
        assert_eq!(written, kept);
    }
}
