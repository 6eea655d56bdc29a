//! The client side: a Miniflare plugin for `wrangler dev`, and the lines of a wrangler config that load it. Surprising
//! constraint: Miniflare resolves the plugin from its own installation, so its path must be absolute.

use serde_json::json;
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Name under which `plugin.cjs` exports the plugin.
pub const NAME: &str = "enforcing-dispatch-namespace";
const FILE: &str = "plugin.cjs";
const FILES: [(&str, &str); 3] = [
    (FILE, include_str!("../../assets/namespace/plugin.cjs")),
    ("dispatcher.mjs", include_str!("../../assets/namespace/dispatcher.mjs")),
    ("whole-characters.cjs", include_str!("../../assets/namespace/whole-characters.cjs")),
];

/// Writes the plugin and gives its path.
pub fn write(folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for (name, text) in FILES {
        fs::write(folder.join(name), text)?;
    }
    Ok(fs::canonicalize(folder)?.join(FILE))
}

/// For a wrangler config, in place of its `dispatch_namespaces`.
pub fn snippet(plugin: &Path, address: SocketAddr) -> String {
    let binding = json!({
        "name": "DISPATCHER",
        "type": "dispatch_namespace",
        "namespace": "local",
        "dev": {
            "plugin": { "package": plugin, "name": NAME },
            "options": { "address": address.to_string() },
        },
    });
    format!("{:#}", json!({ "unsafe": { "bindings": [binding] } }))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::Folder, *};
    use std::collections::BTreeSet;

    #[test]
    fn the_plugin_is_written_whole_and_the_snippet_names_it() {
        let folder = Folder::new();
        let plugin = write(&folder.path().join("plugin")).unwrap();
        let written: BTreeSet<_> =
            fs::read_dir(plugin.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(written, FILES.iter().map(|(name, _)| (*name).into()).collect());
        let config: serde_json::Value =
            serde_json::from_str(&snippet(&plugin, "127.0.0.1:8402".parse().unwrap())).unwrap();
        let dev = &config["unsafe"]["bindings"][0]["dev"];
        assert_eq!(dev["plugin"], json!({ "package": plugin, "name": NAME }));
        assert!(fs::read_to_string(plugin).unwrap().contains(&format!("\"{NAME}\"")));
    }
}
