//! Where the provided tools are. Made only when all of them are there, so nothing downstream has to ask again.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Requirement, SetupError, Site, binaryen, node, npm, requirements, versions, wasm_target::WasmCompiler,
    worker_build, wrangler,
};

#[derive(Debug, Clone)]
pub struct Toolchain {
    node: PathBuf,
    modules: PathBuf,
    wasm_opt: PathBuf,
    wasm_bindgen: PathBuf,
    worker_build: PathBuf,
    compiler: WasmCompiler,
    versions: String,
}

impl Toolchain {
    pub(super) fn locate(site: &Site) -> Result<Self, SetupError> {
        let path = |requirement: &dyn Requirement| match requirement.found(site) {
            Some(found) => Ok(found.path),
            None => Err(SetupError::StillMissing { requirement: requirement.name(), mend: requirement.mend() }),
        };
        let missing = |requirement: &dyn Requirement| SetupError::StillMissing {
            requirement: requirement.name(),
            mend: requirement.mend(),
        };
        let wasm_bindgen = super::wasm_bindgen::WasmBindgen { wanted: versions::wasm_bindgen(site.workspace())? };
        let all = requirements(site)?;
        let versions = all.iter().filter_map(|r| Some(format!("{} {}", r.name(), r.found(site)?.what)));
        Ok(Self {
            node: path(&node::Node)?,
            modules: npm::TOOLS.installed(site).ok_or_else(|| missing(&wrangler::Wrangler))?,
            wasm_opt: path(&binaryen::WasmOpt)?,
            wasm_bindgen: path(&wasm_bindgen)?,
            worker_build: path(&worker_build::WorkerBuild)?,
            compiler: WasmCompiler::find(site).ok_or_else(|| missing(&super::wasm_target::WasmTarget))?,
            versions: versions.collect::<Vec<_>>().join("\n"),
        })
    }

    pub fn node(&self) -> &Path {
        &self.node
    }

    /// wrangler's launcher, to be run with `node()`.
    pub fn wrangler_js(&self) -> PathBuf {
        self.modules.join("wrangler/bin/wrangler.js")
    }

    pub fn workerd(&self) -> PathBuf {
        wrangler::workerd(&self.modules)
    }

    pub fn esbuild(&self) -> PathBuf {
        wrangler::esbuild(&self.modules)
    }

    /// Everything that shapes a bundle besides its sources, as text for a stamp.
    pub(super) fn versions(&self) -> &str {
        &self.versions
    }

    /// worker-build with every tool named, so that it downloads nothing.
    pub(super) fn worker_build(&self) -> Command {
        let mut command = Command::new(&self.worker_build);
        super::cargo_tool::clean(&mut command);
        let mut first = Vec::new();
        self.compiler.apply(&mut command, &mut first);
        command
            .env("PATH", self.path_with(first))
            .env("WASM_BINDGEN_BIN", &self.wasm_bindgen)
            .env("WASM_OPT_BIN", &self.wasm_opt)
            .env("ESBUILD_BIN", self.esbuild());
        command
    }

    fn path_with(&self, mut first: Vec<PathBuf>) -> OsString {
        first.extend(self.node.parent().map(Path::to_owned));
        let inherited = env::var_os("PATH").unwrap_or_default();
        // Fails only for a folder name with a colon in it, which PATH cannot express; then the inherited one has to do.
        env::join_paths(first.into_iter().chain(env::split_paths(&inherited))).unwrap_or(inherited)
    }
}
