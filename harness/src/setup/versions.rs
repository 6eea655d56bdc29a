//! The pinned versions. wasm-bindgen's is not ours to choose: the command and the library compiled into the Worker
//! must be the very same version, so it is read from the workspace's lock file.

use std::{fs, path::Path};

use super::SetupError;

pub const WRANGLER: &str = "4.156.0";
pub const BINARYEN: &str = "132.0.0";
pub const WORKER_BUILD: &str = "0.8.7";
/// wrangler 4.156 refuses to start on an older one.
pub const NODE_AT_LEAST: u32 = 22;

/// The wasm-bindgen version that the Worker is compiled with.
pub fn wasm_bindgen(workspace: &Path) -> Result<String, SetupError> {
    let lock_file = workspace.join("Cargo.lock");
    let text = fs::read_to_string(&lock_file).map_err(SetupError::io("cannot read", &lock_file))?;
    locked(&text, "wasm-bindgen").ok_or(SetupError::NotLocked { lock_file, package: "wasm-bindgen" })
}

/// The version of `package` in a Cargo.lock. Two lines of a generated file do not earn a TOML parser.
pub fn locked(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"wasm-bindgen-shared\"\nversion = \"0.2.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";

    #[test]
    fn the_version_is_that_of_the_package_with_the_whole_name() {
        assert_eq!(locked(LOCK, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked(LOCK, "wasm"), None);
    }

    #[test]
    fn the_build_tool_and_the_worker_use_the_same_wasm_bindgen() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tool = fs::read_to_string(workspace.join("harness/toolchain/wasm-bindgen/Cargo.lock")).unwrap();
        assert_eq!(locked(&tool, "wasm-bindgen-cli-support"), Some(wasm_bindgen(&workspace).unwrap()));
    }
}
