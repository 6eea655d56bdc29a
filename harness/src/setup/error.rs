//! What can go wrong while providing a tool. Each variant names the step and the way out, because the reader is on a
//! machine that we have never seen.

use std::{io, path::PathBuf, process::ExitStatus};

use miette::Diagnostic;
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
pub enum SetupError {
    #[error("{step}: `{command}` ended with {status}\n{tail}")]
    #[diagnostic(help("{way_out}\nwhole log: {}", log.display()))]
    CommandFailed {
        step: &'static str,
        command: String,
        status: ExitStatus,
        tail: String,
        log: PathBuf,
        way_out: &'static str,
    },

    #[error("{step}: could not start `{command}`")]
    #[diagnostic(help("{way_out}"))]
    NotStarted { step: &'static str, command: String, way_out: &'static str, source: io::Error },

    #[error("{step}: called off")]
    #[diagnostic(help("nothing is half-installed; run the same command again"))]
    Interrupted { step: &'static str },

    #[error("{step}: `{command}` did not end within {seconds} s")]
    #[diagnostic(help("{way_out}\nwhole log: {}", log.display()))]
    TimedOut { step: &'static str, command: String, seconds: u64, log: PathBuf, way_out: &'static str },

    #[error("{what} {}", path.display())]
    #[diagnostic(help("check that the disk is not full and that the folder is yours to write"))]
    Io { what: &'static str, path: PathBuf, source: io::Error },

    #[error("no folder for the tool cache: neither HARNESS_CACHE, XDG_CACHE_HOME nor HOME is set")]
    #[diagnostic(help("set HARNESS_CACHE to a folder of about 2 GB"))]
    NoCacheFolder,

    #[error("{} does not lock {package}", lock_file.display())]
    #[diagnostic(help("run `cargo generate-lockfile` and commit Cargo.lock"))]
    NotLocked { lock_file: PathBuf, package: &'static str },

    #[error("wasm-bindgen is {locked} in Cargo.lock but the build tool is made for {tool}")]
    #[diagnostic(help(
        "set wasm-bindgen-cli-support to \"={locked}\" in harness/toolchain/wasm-bindgen/Cargo.toml and update its lock file"
    ))]
    VersionSkew { locked: String, tool: String },

    #[error("{requirement} are missing, and set-up leaves the system as it is")]
    #[diagnostic(help("{mend}"))]
    SystemLacks { requirement: &'static str, mend: &'static str },

    #[error("{requirement} is missing after set-up")]
    #[diagnostic(help("{mend}"))]
    StillMissing { requirement: &'static str, mend: &'static str },

    #[error("the wasm32-unknown-unknown target can be had neither from rustup nor from Debian's packages: {debian}")]
    #[diagnostic(help(
        "let rustup reach its server and run `rustup target add wasm32-unknown-unknown`.\nwhat rustup said: {rustup}"
    ))]
    NoWasmTarget { rustup: String, debian: String },

    #[error("a set-up thread panicked; this is a bug of the harness")]
    #[diagnostic(code(setup::panicked))]
    Panicked,
}

impl SetupError {
    /// Shapes an I/O error on `path` for `map_err`.
    pub fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
