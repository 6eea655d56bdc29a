//! The environment of `wrangler dev`: all of it, because nothing of the harness's own is passed on. Surprising constraint:
//! that is also how no credential and no proxy of whoever runs the harness reaches the code under test.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};
use system::folders::write_private;

/// Each of these was found by watching wrangler's connections: without them it asks the network.
const QUIET_AND_OFFLINE: [(&str, &str); 12] = [
    ("CI", "1"),
    ("WRANGLER_SEND_METRICS", "false"),
    ("WRANGLER_SEND_ERROR_REPORTS", "false"),
    ("DO_NOT_TRACK", "1"),
    ("NO_UPDATE_NOTIFIER", "1"),
    // Else a description of a request's origin is fetched before the server starts.
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
    ("WRANGLER_HIDE_BANNER", "true"),
    ("WRANGLER_WRITE_LOGS", "false"),
    ("WRANGLER_NO_SKILLS_UPDATE_PROMPTS", "true"),
    // The lowest level that lets the dispatcher's `console.log` through.
    ("WRANGLER_LOG", "log"),
    // Both put a tail on each worker, which costs a third of the throughput.
    ("X_LOCAL_EXPLORER", "false"),
    ("X_LOCAL_OBSERVABILITY", "false"),
];

/// Miniflare leaves its temporary folders behind when it is killed, which the harness does on purpose.
const TEMP_DIR: &str = "tmp";
/// Whenever a start fails, wrangler asks the npm registry for a newer release, and no variable turns that off; but it
/// believes this cache of the answer, here "none, and that was asked in the far future".
const UPDATE_CHECK_FILE: &str = "tmp/update-check/wrangler-latest.json";
const NO_UPDATE: &str = r#"{"lastUpdate":9007199254740991,"latest":null}"#;

/// The files that the environment relies on.
pub fn prepare(run_dir: &Path) -> io::Result<()> {
    write_private(&run_dir.join(UPDATE_CHECK_FILE), NO_UPDATE)
}

pub fn quiet_and_offline(node: &Path, run_dir: &Path, registry: &Path) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> =
        QUIET_AND_OFFLINE.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let own = |name: &str, dir: &str| (OsString::from(name), run_dir.join(dir).into_os_string());
    // Else every wrangler of the machine knows of every other through one shared folder.
    environment.push(("CLOUDFLARE_DEV_REGISTRY_PATH".into(), registry.into()));
    environment.push(own("HOME", "home"));
    environment.push(own("TMPDIR", TEMP_DIR));
    environment.push(("PATH".into(), path_with(node)));
    environment
}

/// wrangler starts further `node` processes by name.
fn path_with(node: &Path) -> OsString {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let dirs = node.parent().map(PathBuf::from).into_iter().chain(env::split_paths(&inherited));
    // Joining fails only for a folder with a separator in its name, which cannot be on a path at all.
    env::join_paths(dirs).unwrap_or(inherited)
}
