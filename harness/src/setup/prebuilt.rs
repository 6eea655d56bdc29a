//! An installed harness: Workers that were built elsewhere, beside the few files that a run reads. `harness install` makes the folder,
//! and whoever has it needs neither a checkout nor a compiler.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Bundle, SetupError};

/// The folder of the built Workers. Its being there is what makes a folder an installation.
const PREBUILT: &str = "prebuilt";
const DISPATCHER: &str = "dispatcher";
const OUTBOUND: &str = "outbound";
/// The parts of a checkout that a run reads, files and folders.
const READ: [&str; 6] = [
    "dispatcher/worker/wrangler.jsonc",
    "harness/toolchain/npm",
    "harness/toolchain/npm-client",
    "scenarios",
    "known.toml",
    "LICENSE",
];
/// The parts of a build's folder that a Worker needs no more.
const LEFT_OUT: [&str; 2] = [".gitignore", "package.json"];

/// Tells whether the folder is an installation.
pub fn is_installed(workspace: &Path) -> bool {
    workspace.join(PREBUILT).is_dir()
}

/// The dispatcher and the outbound Worker of an installation.
pub fn prebuilt(workspace: &Path) -> Result<(Bundle, Bundle), SetupError> {
    let of = |name: &str| {
        let folder = workspace.join(PREBUILT).join(name);
        super::bundle::prebuilt(&folder)
    };
    Ok((of(DISPATCHER)?, of(OUTBOUND)?))
}

/// Makes an installation of a checkout's built Workers and this program. What is there already is replaced.
pub fn install(
    workspace: &Path,
    program: &Path,
    dispatcher: &Bundle,
    outbound: &Bundle,
    to: &Path,
) -> Result<PathBuf, SetupError> {
    let failed = |source| SetupError::Io { what: "cannot install to", path: to.to_owned(), source };
    let bundles = to.join(PREBUILT);
    system::folders::remove_if_there(&bundles).map_err(failed)?;
    for (bundle, name) in [(dispatcher, DISPATCHER), (outbound, OUTBOUND)] {
        copy(&bundle.dir, &bundles.join(name), &LEFT_OUT).map_err(failed)?;
    }
    for name in READ {
        let from = workspace.join(name);
        if from.exists() {
            copy(&from, &to.join(name), &[]).map_err(failed)?;
        }
    }
    let binary = to.join("bin/harness");
    fs::create_dir_all(to.join("bin")).map_err(failed)?;
    // A program that runs cannot be written over, and can be replaced.
    let part = to.join("bin/.harness.part");
    fs::copy(program, &part).and_then(|_| fs::rename(&part, &binary)).map_err(failed)?;
    Ok(binary)
}

fn copy(from: &Path, to: &Path, left_out: &[&str]) -> io::Result<()> {
    if from.is_file() {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if !left_out.iter().any(|left| name == *left) {
            copy(&path, &to.join(name), left_out)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_what_a_run_reads_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("402claw-install-{}", std::process::id()));
        let (checkout, to) = (folder.join("checkout"), folder.join("to"));
        let write = |path: &str| {
            let path = checkout.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        for path in [
            "scenarios/outage.toml",
            "dispatcher/worker/wrangler.jsonc",
            "dispatcher/core/src/lib.rs",
            "harness/toolchain/npm/package.json",
            "program",
        ] {
            write(path);
        }
        let bundle = |name: &str| {
            let dir = checkout.join(name);
            for file in ["index.js", "index_bg.wasm", ".gitignore", "worker/shim.mjs"] {
                write(&format!("{name}/{file}"));
            }
            super::super::bundle::prebuilt(&dir).map_err(miette::Report::new).unwrap()
        };
        let binary = install(&checkout, &checkout.join("program"), &bundle("a"), &bundle("b"), &to);
        let binary = binary.map_err(miette::Report::new).unwrap();
        assert!(binary.is_file() && is_installed(&to) && !is_installed(&checkout));
        assert!(to.join("scenarios/outage.toml").is_file() && !to.join("dispatcher/core").exists());
        assert!(to.join("harness/toolchain/npm/package.json").is_file(), "npm installs by it");
        let (dispatcher, outbound) = prebuilt(&to).map_err(miette::Report::new).unwrap();
        assert!(dispatcher.wasm.is_file() && outbound.dir.join("worker/shim.mjs").is_file());
        assert!(!outbound.dir.join(".gitignore").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
