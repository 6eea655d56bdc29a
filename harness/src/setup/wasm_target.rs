//! A compiler for wasm32-unknown-unknown. rustup's own, where the target is there or rustup can fetch it; else one
//! made of Debian's packages, because some build machines reach package mirrors but not rustup's server.

mod debian;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{Found, Requirement, SetupError, Site, child::Job};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// The download is 20 MB. A server that cannot be reached must not eat the time in which the other way would be done.
const RUSTUP_TIME_OUT: Duration = Duration::from_secs(45);

/// The compiler of the Worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WasmCompiler {
    /// The `rustc` on PATH has the target.
    Ambient { libdir: PathBuf },
    /// A folder with a `rustc` that has the target, and the linker that it must be told of.
    Debian { bin: PathBuf, linker: PathBuf },
}

impl WasmCompiler {
    pub fn find(site: &Site) -> Option<Self> {
        ambient().or_else(|| debian::find(site))
    }

    /// Points a build at this compiler.
    pub fn apply(&self, command: &mut Command, path: &mut Vec<PathBuf>) {
        if let Self::Debian { bin, linker } = self {
            // worker-build asks the `rustc` on PATH for the target and cargo obeys RUSTC: both must be this one.
            path.insert(0, bin.clone());
            command.env("RUSTC", bin.join("rustc")).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }
}

pub struct WasmTarget;

impl Requirement for WasmTarget {
    fn name(&self) -> &'static str {
        "wasm target"
    }

    fn wanted(&self) -> String {
        TARGET.to_owned()
    }

    fn found(&self, site: &Site) -> Option<Found> {
        Some(match WasmCompiler::find(site)? {
            WasmCompiler::Ambient { libdir } => Found { what: "in the Rust toolchain".to_owned(), path: libdir },
            WasmCompiler::Debian { bin, .. } => Found { what: "from Debian's packages".to_owned(), path: bin },
        })
    }

    fn mend(&self) -> &'static str {
        "run `rustup target add wasm32-unknown-unknown`, or `harness setup`"
    }

    fn doing(&self) -> &'static str {
        "rustup target add (a few seconds), or where rustup has no network, std from source (once, about 90 s)"
    }

    fn provide(&self, site: &Site) -> Result<(), SetupError> {
        if rustup_is_left_aside() {
            return debian::provide(site, "it was left aside by HARNESS_WASM_TARGET".to_owned());
        }
        let rustup = match add_by_rustup(site) {
            Ok(()) if ambient().is_some() => return Ok(()),
            Ok(()) => "rustup added the target, but to another toolchain than the `rustc` on PATH".to_owned(),
            Err(interrupted @ SetupError::Interrupted { .. }) => return Err(interrupted),
            Err(error) => error.to_string(),
        };
        site.say("      wasm target: rustup cannot provide it; making it from Debian's packages instead");
        debian::provide(site, rustup)
    }
}

/// `HARNESS_WASM_TARGET=source` leaves rustup aside, so that a test can take the other way on a machine that has both.
fn rustup_is_left_aside() -> bool {
    std::env::var_os("HARNESS_WASM_TARGET").is_some_and(|way| way == "source")
}

fn ambient() -> Option<WasmCompiler> {
    if rustup_is_left_aside() {
        return None;
    }
    let libdir = PathBuf::from(ask_rustc(&["--print", "target-libdir", "--target", TARGET])?);
    holds_std(&libdir).then_some(WasmCompiler::Ambient { libdir })
}

fn add_by_rustup(site: &Site) -> Result<(), SetupError> {
    let job = Job {
        step: "wasm target",
        log: "rustup",
        way_out: "let rustup reach its server",
        time_out: Some(RUSTUP_TIME_OUT),
    };
    job.run(site, Command::new("rustup").args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1"))
}

/// The folder alone proves nothing: rustup leaves it behind when a target is removed.
fn holds_std(libdir: &Path) -> bool {
    let Ok(entries) = libdir.read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn ask_rustc(args: &[&str]) -> Option<String> {
    let output = Command::new("rustc").args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
