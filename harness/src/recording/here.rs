//! What this machine would run a scenario with.

use crate::play::{MANIFEST_SCHEMA, Manifest, RunSpec};
use reports::event::EVENT_SCHEMA;
use sha3::{Digest, Keccak256};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::Command,
};
use system::folders::workspace_root;

#[derive(Clone, Debug, Default)]
pub struct Here {
    bundle: Option<String>,
    tools: BTreeMap<String, String>,
}

impl Here {
    /// With what the live tier runs: the files of the dispatcher's bundle, and tools by name.
    pub fn live(bundle: &[PathBuf], tools: BTreeMap<String, String>) -> io::Result<Self> {
        let mut hash = Keccak256::new();
        for file in bundle {
            let bytes = std::fs::read(file)?;
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(&bytes);
        }
        let bundle = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { bundle: Some(bundle), tools })
    }

    #[must_use]
    pub fn manifest(&self, asked: RunSpec<'_>) -> Manifest {
        let version = env!("CARGO_PKG_VERSION");
        let commit = commit(&workspace_root()).map(|commit| format!(" ({commit})")).unwrap_or_default();
        Manifest {
            schema: MANIFEST_SCHEMA,
            harness: format!("{version}{commit}"),
            events: EVENT_SCHEMA,
            scenario: asked.scenario.id().to_string(),
            asked_for: asked.as_.to_owned(),
            tier: asked.tier.as_str().to_owned(),
            seed: asked.seed,
            bundle: self.bundle.clone(),
            tools: self.tools.clone(),
        }
    }
}

/// The commit of the sources that this was built from, as far as git knows: the version alone tells no two builds
/// apart.
fn commit(workspace: &Path) -> Option<String> {
    let mut git = Command::new("git");
    let told = git.arg("-C").arg(workspace).args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
    let told = told.output().ok().filter(|told| told.status.success())?;
    let told = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    (!told.is_empty()).then_some(told)
}
