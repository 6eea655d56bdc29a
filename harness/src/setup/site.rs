//! The place a set-up works on: workspace, cache, progress and the flag that calls everything off.

use super::{Progress, Requirement, SetupError, cache::Cache};
use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use system::clock::{Clock as _, SystemClock};

/// Set by whoever owns the signals; every running child is killed within a tenth of a second of it.
#[derive(Debug, Clone, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The parts that every step shares.
pub struct Site<'p> {
    workspace: PathBuf,
    cache: Cache,
    progress: Mutex<&'p mut dyn Progress>,
    cancelled: Cancelled,
    abandoned: Cancelled,
    /// One `cargo install` at a time: they share a build folder, and two at once only wait for its lock.
    cargo_turn: Mutex<()>,
}

impl<'p> Site<'p> {
    pub fn new(workspace: &Path, progress: &'p mut dyn Progress, cancelled: Cancelled) -> Result<Self, SetupError> {
        Ok(Self {
            workspace: workspace.to_owned(),
            cache: Cache::from_env(|name| env::var_os(name))?,
            progress: Mutex::new(progress),
            cancelled,
            abandoned: Cancelled::default(),
            cargo_turn: Mutex::new(()),
        })
    }

    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The data files of set-up: lock files and the wasm-bindgen tool's source.
    pub fn data(&self, name: &str) -> PathBuf {
        self.workspace.join("harness/toolchain").join(name)
    }

    pub fn say(&self, line: &str) {
        tracing::info!(line, "set-up");
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).line(line);
    }

    pub fn abandon(&self) {
        self.abandoned.cancel();
    }

    pub fn called_off(&self) -> bool {
        self.cancelled.is_set() || self.abandoned.is_set()
    }

    /// Runs `build` when no other cargo install of this set-up runs.
    pub fn in_cargo_turn<T>(&self, build: impl FnOnce() -> T) -> T {
        let _turn = self.cargo_turn.lock().unwrap_or_else(PoisonError::into_inner);
        build()
    }

    /// Provides one requirement, with a line before and one after.
    pub fn step(&self, label: &str, requirement: &dyn Requirement) -> Result<(), SetupError> {
        self.say(&format!("{label} {}  {} ...", requirement.wanted(), requirement.doing()));
        let watch = SystemClock::start();
        requirement.provide(self)?;
        self.say(&format!("{label} done in {} s", watch.now_us() / 1_000_000));
        Ok(())
    }
}
