//! A wasm compiler from Debian's packages, without root and without touching the system: the packages are downloaded
//! and unpacked into the cache, a wrapper script is the compiler, and std is built for wasm from the packaged source.
//!
//! Why a second compiler at all: std's source must match the compiler that builds it, and rustup has only its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{TARGET, WasmCompiler, ask_rustc};
use crate::setup::{SetupError, Site, cache, cargo_tool::cargo, child::Job};

/// Changes when the steps below change, so that an older result is not taken for one of these.
const KEY: &str = "rust-for-wasm-recipe-1";
/// The compiler that Debian keeps new enough for browsers, and its sources; what it depends on is asked of apt.
const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];
const DEPENDED_ON: [&str; 2] = ["libllvm", "libstd-rust-web-"];

/// `$0` and not a fixed path, because the folder is renamed into place after std was built with it; no `..` in it, because
/// cargo compares the sysroot's path with what it finds there.
const WRAPPER: &str = "#!/bin/sh\nx=${0%/bin/rustc}/x/usr\nLD_LIBRARY_PATH=$x/lib/x86_64-linux-gnu exec $x/bin/rustc --sysroot $x \"$@\"\n";

const WAY_OUT: &str = "this way needs Debian 12 on x86-64 with apt-get, dpkg and a reachable mirror; elsewhere let rustup \
                       reach its server and run `rustup target add wasm32-unknown-unknown`";

pub fn find(site: &Site) -> Option<WasmCompiler> {
    let bin = site.cache().slot(KEY).join("bin");
    let linker =
        PathBuf::from(ask_rustc(&["--print", "sysroot"])?).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    (bin.join("rustc").is_file() && linker.is_file()).then_some(WasmCompiler::Debian { bin, linker })
}

pub fn provide(site: &Site, rustup: String) -> Result<(), SetupError> {
    let made = site.cache().fill(KEY, |part| {
        let apt = Apt { site, part };
        apt.unpack()?;
        write_wrapper(part)?;
        build_std(site, part)
    });
    match made {
        Ok(_) => Ok(()),
        Err(interrupted @ SetupError::Interrupted { .. }) => Err(interrupted),
        Err(error) => Err(SetupError::NoWasmTarget { rustup, debian: error.to_string() }),
    }
}

/// apt-get with lists and archives of its own, under the folder that is being made.
struct Apt<'a, 'p> {
    site: &'a Site<'p>,
    part: &'a Path,
}

impl Apt<'_, '_> {
    fn unpack(&self) -> Result<(), SetupError> {
        let debs = self.part.join("debs");
        for folder in [self.part.join("lists/partial"), self.part.join("archives/partial"), debs.clone()] {
            fs::create_dir_all(&folder).map_err(SetupError::io("cannot create", folder))?;
        }
        self.run("apt-update", self.command("apt-get").arg("update"))?;
        let mut packages = PACKAGES.map(str::to_owned).to_vec();
        packages.extend(self.depended_on()?);
        self.run("apt-download", self.command("apt-get").arg("download").args(&packages).current_dir(&debs))?;
        self.site.say("      wasm target: unpacking the compiler (about 10 s)");
        let x = self.part.join("x");
        fs::create_dir_all(&x).map_err(SetupError::io("cannot create", &x))?;
        for entry in debs.read_dir().map_err(SetupError::io("cannot read", &debs))?.flatten() {
            // The source package holds the compiler's own sources and LLVM's, 300 MB that std does not need.
            let script = "dpkg --fsys-tarfile \"$1\" | tar -x -C \"$2\" --anchored --no-wildcards-match-slash \
                          --exclude='./usr/src/*/src' --exclude='./usr/src/*/compiler' --exclude='./usr/share'";
            self.run("dpkg", Command::new("sh").args(["-c", script, "unpack"]).arg(entry.path()).arg(&x))?;
        }
        for folder in ["debs", "lists", "archives"] {
            cache::clear(&self.part.join(folder))?;
        }
        Ok(())
    }

    /// The versioned names (`libllvm22`, `libstd-rust-web-1.96`) move with the archive, so they are asked for.
    fn depended_on(&self) -> Result<Vec<String>, SetupError> {
        let mut command = self.command("apt-cache");
        command.args(["depends", "--recurse", "--important", "rustc-web", "libstd-rust-web-dev"]);
        let output = command.output().map_err(SetupError::io("cannot run apt-cache for", self.part))?;
        let mut packages = depended_on(&String::from_utf8_lossy(&output.stdout));
        packages.sort();
        packages.dedup();
        Ok(packages)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let at = |option: &str, folder: &str| format!("{option}={}", self.part.join(folder).display());
        command.args([
            "-o",
            &at("Dir::State::Lists", "lists"),
            "-o",
            &at("Dir::Cache", "."),
            "-o",
            &at("Dir::Cache::Archives", "archives"),
        ]);
        // No sandbox user to drop to, no translations, and none of the hooks that would touch the system's own cache.
        command.args(["-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=1"]);
        command.args([
            "-o",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
            "-o",
            "Acquire::http::Timeout=15",
        ]);
        command
    }

    fn run(&self, log: &'static str, command: &mut Command) -> Result<(), SetupError> {
        Job { step: "wasm target", log, way_out: WAY_OUT, time_out: None }.run(self.site, command)
    }
}

fn depended_on(listing: &str) -> Vec<String> {
    let names = listing.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.filter(|name| DEPENDED_ON.iter().any(|wanted| name.starts_with(wanted))).map(str::to_owned).collect()
}

fn write_wrapper(part: &Path) -> Result<(), SetupError> {
    let bin = part.join("bin");
    fs::create_dir_all(&bin).map_err(SetupError::io("cannot create", &bin))?;
    let rustc = bin.join("rustc");
    fs::write(&rustc, WRAPPER).map_err(SetupError::io("cannot write", &rustc))?;
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))
        .map_err(SetupError::io("cannot make executable", &rustc))
}

/// Builds std once, as a dependency of an empty crate, and puts its libraries where the compiler looks for a target's.
fn build_std(site: &Site, part: &Path) -> Result<(), SetupError> {
    site.say("      wasm target: compiling std for wasm (once, about 50 s on 2 cores)");
    let seed = part.join("seed");
    let source = seed.join("src");
    fs::create_dir_all(&source).map_err(SetupError::io("cannot create", &source))?;
    let manifest = "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\n[workspace]\n";
    for (path, text) in [(seed.join("Cargo.toml"), manifest), (source.join("lib.rs"), "")] {
        fs::write(&path, text).map_err(SetupError::io("cannot write", path))?;
    }
    let mut command = cargo("build");
    command
        .args(["--release", "--target", TARGET, "-Zbuild-std=std,panic_abort"])
        .current_dir(&seed)
        .env("CARGO_TARGET_DIR", seed.join("target"))
        .env("RUSTC", part.join("bin/rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode in std the Worker's link-time optimisation fails.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    Job { step: "wasm target", log: "build-std", way_out: WAY_OUT, time_out: None }.run(site, &mut command)?;

    let libraries = part.join("x/usr/lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&libraries).map_err(SetupError::io("cannot create", &libraries))?;
    let built = seed.join("target").join(TARGET).join("release/deps");
    for entry in built.read_dir().map_err(SetupError::io("cannot read", &built))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libseed-") {
            fs::copy(entry.path(), libraries.join(&name)).map_err(SetupError::io("cannot copy", entry.path()))?;
        }
    }
    cache::clear(&seed)?;
    cache::clear(&part.join("x/usr/src"))
}

#[cfg(test)]
mod tests {
    use super::depended_on;

    #[test]
    fn only_the_compilers_own_libraries_are_taken_from_its_dependencies() {
        let listing =
            "rustc-web\n  Depends: libc6\n  Depends: libllvm22\n |Depends: gcc\n  Depends: libstd-rust-web-1.96\n";
        assert_eq!(depended_on(listing), ["libllvm22", "libstd-rust-web-1.96"]);
    }
}
