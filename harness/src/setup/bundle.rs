//! Builds the Worker to release wasm, the very bundle that ships.
//!
//! The build has a cargo target folder of its own: with the workspace's it would wait for ever on the lock of the
//! `cargo run` that started the harness. When no source changed it is skipped whole, because worker-build would run
//! wasm-opt and esbuild again each time.

use super::{Cancelled, Progress, SetupError, Site, Toolchain, child::Job};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};
use system::{
    clock::{Clock as _, SystemClock},
    folders::given_bundle,
};

/// Holds the hash of everything that the bundle beside it was made from, and its sizes.
const STAMP: &str = ".made-from";

/// A bundle's entry, and the module of it that worker-build made where the entry is our own.
const INDEX: &str = "index.js";
const GENERATED: &str = "generated.js";

/// Folders that builds write to, which are no source.
const NOT_SOURCE: [&str; 4] = ["build", "target", "node_modules", ".wrangler"];

const DISPATCHER_SOURCES: [&str; 6] = [
    "dispatcher/worker",
    "dispatcher/core",
    "dispatcher/x402-paywall",
    "dispatcher/x402-protocol",
    "Cargo.toml",
    "Cargo.lock",
];

/// A built Worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub dir: PathBuf,
    pub index_js: PathBuf,
    pub wasm: PathBuf,
    pub wasm_bytes: u64,
    pub wasm_gzip_bytes: u64,
    pub js_bytes: u64,
    pub js_gzip_bytes: u64,
}

impl Bundle {
    /// All that the runtime loads.
    #[must_use]
    pub fn modules(&self) -> Vec<PathBuf> {
        let generated = Some(self.dir.join(GENERATED)).filter(|generated| generated.is_file());
        [self.index_js.clone(), self.wasm.clone()].into_iter().chain(generated).collect()
    }
}

/// A Worker crate and what its bundle depends on.
#[derive(Debug, Clone)]
pub struct WorkerCrate {
    pub dir: PathBuf,
    /// Files and folders whose content decides the bundle.
    pub sources: Vec<PathBuf>,
    pub target_dir: PathBuf,
    /// Relative to `dir`.
    pub out_dir: String,
    pub profile: Profile,
    pub features: Vec<String>,
    /// Its own entry, which goes in front of the generated one. Relative to `dir`.
    pub entry: Option<&'static str>,
}

/// How Workers are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The Worker that ships.
    Release,
    /// The same without wasm-opt, for a Worker that is built to be tested.
    Unshrunk,
}

impl Profile {
    fn args(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release"],
            Self::Unshrunk => &["--release", "--no-opt"],
        }
    }
}

/// The dispatcher, as it ships.
pub fn build_dispatcher(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    if let Some(given) = given_bundle() {
        let given = std::path::absolute(&given).map_err(SetupError::io("cannot read", given))?;
        let size = |name: &str| fs::metadata(given.join(name)).map(|file| file.len()).unwrap_or(0);
        return sized(&given, size("index_bg.wasm"), size(INDEX));
    }
    build_worker(toolchain, workspace, &dispatcher(workspace), progress, cancelled)
}

/// The dispatcher's crate in a workspace.
pub fn dispatcher(workspace: &Path) -> WorkerCrate {
    WorkerCrate {
        dir: workspace.join("dispatcher/worker"),
        sources: DISPATCHER_SOURCES.map(|source| workspace.join(source)).to_vec(),
        target_dir: workspace.join("target/wasm"),
        out_dir: "build".to_owned(),
        profile: Profile::Release,
        features: Vec::new(),
        entry: Some("entry.js"),
    }
}

/// The outbound Worker, as it ships.
pub fn build_outbound(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    let worker = shipping(workspace, "outbound", &["core", "x402-paywall", "x402-protocol"]);
    build_worker(toolchain, workspace, &worker, progress, cancelled)
}

/// The control plane, as it ships.
pub fn build_control(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    let worker = shipping(workspace, "control", &["core", "x402-paywall", "x402-protocol"]);
    build_worker(toolchain, workspace, &worker, progress, cancelled)
}

/// The telemetry Worker, as it ships.
pub fn build_telemetry(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    let worker = shipping(workspace, "telemetry-worker", &["telemetry", "core", "x402-paywall", "x402-protocol"]);
    build_worker(toolchain, workspace, &worker, progress, cancelled)
}

/// The Worker of tenants with a data set, as it ships.
pub fn build_dataset_worker(
    toolchain: &Toolchain,
    workspace: &Path,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    let worker = shipping(workspace, "dataset-worker", &["dataset"]);
    build_worker(toolchain, workspace, &worker, progress, cancelled)
}

/// A Worker crate below `dispatcher`, built as it ships. Its sources are its own folder and those of the crates that it is made from.
fn shipping(workspace: &Path, folder: &str, made_from: &[&str]) -> WorkerCrate {
    let crates = made_from.iter().copied().chain([folder]).map(|name| workspace.join("dispatcher").join(name));
    WorkerCrate {
        dir: workspace.join("dispatcher").join(folder),
        sources: crates.chain(["Cargo.toml", "Cargo.lock"].map(|file| workspace.join(file))).collect(),
        target_dir: workspace.join("target/wasm"),
        out_dir: "build".to_owned(),
        profile: Profile::Release,
        features: Vec::new(),
        entry: None,
    }
}

/// Any Worker crate. With features, give it an `out_dir` of its own.
pub fn build_worker(
    toolchain: &Toolchain,
    workspace: &Path,
    worker: &WorkerCrate,
    progress: &mut dyn Progress,
    cancelled: &Cancelled,
) -> Result<Bundle, SetupError> {
    let site = Site::new(workspace, progress, cancelled.clone())?;
    let out = worker.dir.join(&worker.out_dir);
    let made_from = made_from(toolchain, worker)?;
    if let Some(bundle) = stamped(&out, &made_from) {
        return Ok(bundle);
    }
    site.say("worker bundle  compiling to wasm (about 100 s on 2 cores from nothing, 15 s after a change) ...");
    let watch = SystemClock::start();
    let mut command = toolchain.worker_build();
    command.args(worker.profile.args()).arg("--out-dir").arg(&worker.out_dir).current_dir(&worker.dir);
    if !worker.features.is_empty() {
        command.arg("--").arg("--features").arg(worker.features.join(","));
    }
    command.env("CARGO_TARGET_DIR", &worker.target_dir);
    let way_out =
        "the compiler's message says what is wrong with the Worker; `cargo check` does not see wasm-only errors";
    Job { step: "worker bundle", log: "worker-build-run", way_out, time_out: None }.run(&site, &mut command)?;
    if let Some(entry) = worker.entry {
        put_in_front(&worker.dir.join(entry), &out)?;
    }
    let bundle = measured(&site, toolchain, &out)?;
    let stamp = format!("{made_from}\n{} {}\n", bundle.wasm_gzip_bytes, bundle.js_gzip_bytes);
    fs::write(out.join(STAMP), stamp).map_err(SetupError::io("cannot write", out.join(STAMP)))?;
    site.say(&format!(
        "worker bundle  done in {} s: {} kB wasm, {} kB JavaScript, {} kB together after gzip",
        watch.now_us() / 1_000_000,
        bundle.wasm_bytes / 1000,
        bundle.js_bytes / 1000,
        (bundle.wasm_gzip_bytes + bundle.js_gzip_bytes) / 1000
    ));
    Ok(bundle)
}

/// As the build command in `wrangler.jsonc` does.
fn put_in_front(entry: &Path, out: &Path) -> Result<(), SetupError> {
    let index = out.join(INDEX);
    fs::rename(&index, out.join(GENERATED)).map_err(SetupError::io("cannot rename", &index))?;
    fs::copy(entry, &index).map(drop).map_err(SetupError::io("cannot copy", entry))
}

/// A Worker that was built elsewhere. Its sizes after compression are as its stamp says, and 0 without one.
pub(super) fn prebuilt(out: &Path) -> Result<Bundle, SetupError> {
    let stamp = fs::read_to_string(out.join(STAMP)).unwrap_or_default();
    let mut sizes = stamp.lines().nth(1).unwrap_or_default().split(' ').filter_map(|size| size.parse().ok());
    sized(out, sizes.next().unwrap_or_default(), sizes.next().unwrap_or_default())
}

/// The bundle that this entry is of.
pub fn bundle_of(index_js: &Path) -> Result<Bundle, SetupError> {
    prebuilt(index_js.parent().unwrap_or(index_js))
}

fn stamped(out: &Path, made_from: &str) -> Option<Bundle> {
    let stamp = fs::read_to_string(out.join(STAMP)).ok()?;
    let (hash, sizes) = stamp.trim().split_once('\n')?;
    let (wasm, js) = sizes.split_once(' ')?;
    if hash != made_from {
        return None;
    }
    sized(out, wasm.parse().ok()?, js.parse().ok()?).ok()
}

fn sized(out: &Path, wasm_gzip_bytes: u64, js_gzip_bytes: u64) -> Result<Bundle, SetupError> {
    let index_js = out.join(INDEX);
    let wasm = out.join("index_bg.wasm");
    let size = |path: &Path| fs::metadata(path).map(|meta| meta.len()).map_err(SetupError::io("cannot read", path));
    Ok(Bundle {
        wasm_bytes: size(&wasm)?,
        js_bytes: size(&index_js)? + size(&out.join(GENERATED)).unwrap_or(0),
        dir: out.to_owned(),
        index_js,
        wasm,
        wasm_gzip_bytes,
        js_gzip_bytes,
    })
}

/// Node compresses: a gzip crate for two numbers would cost more to compile than the numbers are worth.
fn measured(site: &Site, toolchain: &Toolchain, out: &Path) -> Result<Bundle, SetupError> {
    let script = "const fs=require('fs'),z=require('zlib'),size=f=>z.gzipSync(fs.readFileSync(f)).length;\
                  const [wasm,...js]=process.argv.slice(1).map(size);\
                  console.log(wasm,js.reduce((all,one)=>all+one,0))";
    let mut node = Command::new(toolchain.node());
    node.args(["-e", script]).arg(out.join("index_bg.wasm")).arg(out.join(INDEX));
    node.args(Some(out.join(GENERATED)).filter(|generated| generated.is_file()));
    let job = Job { step: "bundle sizes", log: "bundle-sizes", way_out: "run `harness setup` again", time_out: None };
    job.run(site, &mut node)?;
    let log = site.cache().log(job.log);
    let text = fs::read_to_string(&log).map_err(SetupError::io("cannot read", &log))?;
    let mut sizes = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (sizes.next(), sizes.next()) {
        (Some(wasm), Some(js)) => sized(out, wasm, js),
        _ => Err(SetupError::StillMissing { requirement: "node", mend: "its answer on sizes was not two numbers" }),
    }
}

/// Content, not times: a fresh checkout of the same commit is the same bundle.
fn made_from(toolchain: &Toolchain, worker: &WorkerCrate) -> Result<String, SetupError> {
    let mut hasher = DefaultHasher::new();
    toolchain.versions().hash(&mut hasher);
    (worker.profile, &worker.features).hash(&mut hasher);
    for source in &worker.sources {
        hash_tree(source, &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> Result<(), SetupError> {
    if path.is_file() {
        path.hash(hasher);
        fs::read(path).map_err(SetupError::io("cannot read", path))?.hash(hasher);
        return Ok(());
    }
    let entries = path.read_dir().map_err(SetupError::io("cannot read", path))?;
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    names.sort();
    for name in names {
        if !NOT_SOURCE.iter().any(|skip| name.ends_with(skip)) {
            hash_tree(&name, hasher)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(folder: &Path) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash_tree(folder, &mut hasher).unwrap();
        hasher.finish()
    }

    #[test]
    fn a_changed_source_changes_the_stamp_and_a_build_product_does_not() {
        let folder = std::env::temp_dir().join(format!("harness-bundle-test-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(folder.join("build")).unwrap();
        fs::write(folder.join("src/lib.rs"), "one").unwrap();
        let first = hash_of(&folder);
        fs::write(folder.join("build/index.js"), "product").unwrap();
        assert_eq!(hash_of(&folder), first);
        fs::write(folder.join("src/lib.rs"), "two").unwrap();
        assert_ne!(hash_of(&folder), first);
        fs::remove_dir_all(&folder).unwrap();
    }
}
