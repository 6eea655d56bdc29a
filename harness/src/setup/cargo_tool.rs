//! Installs a build tool with cargo, as fast as that honestly goes: unoptimised and without debug information (a debug
//! wasm-bindgen takes 0.3 s a run; compiling it optimised costs minutes), one binary, one build folder for all tools so
//! that what they share compiles once.

use std::{env, path::Path, process::Command};

use super::{Found, SetupError, Site, cache, child::Job};

/// The folder in the cache in which the tools' builds share their dependencies.
const SHARED_BUILD: &str = "build-tools";

/// Variables of an outer `cargo run` or of CI that would change what is built here, or force a rebuild.
const FOREIGN: [&str; 8] = [
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

pub struct CargoTool<'a> {
    pub name: &'static str,
    pub version: &'a str,
}

impl CargoTool<'_> {
    pub fn found(&self, site: &Site) -> Option<Found> {
        let path = site.cache().slot(&self.key()).join("bin").join(self.name);
        path.is_file().then(|| Found { what: self.version.to_owned(), path })
    }

    /// `source` is what `cargo install` is to install: a package and version, or a path.
    pub fn install(&self, site: &Site, source: &[&str]) -> Result<(), SetupError> {
        let build = site.cache().scratch(SHARED_BUILD);
        site.cache().fill(&self.key(), |part| site.in_cargo_turn(|| self.build(site, part, &build, source)))?;
        Ok(())
    }

    fn build(&self, site: &Site, part: &Path, build: &Path, source: &[&str]) -> Result<(), SetupError> {
        let mut command = cargo("install");
        command
            .args(["--debug", "--locked", "--no-track", "--bin", self.name])
            .args(source)
            .arg("--root")
            .arg(part)
            .env("CARGO_TARGET_DIR", build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
        let job = Job {
            step: self.name,
            log: self.name,
            way_out: "cargo must reach its registry; a C compiler is needed, and pkg-config with OpenSSL's headers \
                      (Debian: build-essential pkg-config libssl-dev)",
            time_out: None,
        };
        job.run(site, &mut command)
    }

    fn key(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// A cargo that does not inherit what an outer cargo or CI meant for another build.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg(subcommand);
    clean(&mut command);
    command
}

/// Takes the foreign variables out of a command that will call cargo.
pub fn clean(command: &mut Command) {
    for name in FOREIGN {
        command.env_remove(name);
    }
    // An outer `cargo run` says which package it runs. Build scripts that watch this would run again, and all that depends on
    // them would be compiled again, whenever a cargo that is not inside another takes its turn in the same target folder.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
}

/// The shared build folder is half a gigabyte that nothing needs once the tools are there.
pub fn tidy(site: &Site) -> Result<(), SetupError> {
    cache::clear(&site.cache().scratch(SHARED_BUILD))
}
