//! The folder that a run leaves behind: what it was (`manifest.json`, `scenario.toml`), `events.jsonl`, `report.json`, and the
//! logs of what was started.
//!
//! Surprising constraint: it holds the run's keys and tokens, and payments, so it and all in it are its owner's alone.

use crate::{exit::Exit, play::Manifest};
use reports::report::Report;
use scenario::Scenario;
use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use system::folders::{self, remove_if_there};

/// An existing, absolute, empty-before folder, which no other harness makes its own while this lives.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    _lock: Arc<File>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RunDirError {
    #[error("the run directory {path} cannot be made")]
    Make { path: PathBuf, source: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Taken(Taken),
    #[error("the run directory {path} is open to others, and is not empty")]
    #[diagnostic(help("a run leaves keys and payments there: name a new folder, or `chmod 700` that one"))]
    Open { path: PathBuf },
    #[error("writing {path}")]
    Write { path: PathBuf, source: io::Error },
}

impl RunDirError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Taken(_) | Self::Open { .. } => Exit::Usage,
            Self::Make { .. } | Self::Write { .. } => Exit::NotWritten,
        }
    }
}

/// By whom a folder is taken.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Taken {
    #[error("the run directory {0} holds a run already")]
    #[diagnostic(help("name a new folder with --run-dir, or leave it out"))]
    Before(PathBuf),
    #[error("another run is under way in the run directory {0}")]
    #[diagnostic(help("name a new folder with --run-dir, or leave it out, or wait until that run is over"))]
    Now(PathBuf),
}

pub const EVENTS: &str = "events.jsonl";
pub const REPORT: &str = "report.json";
pub const SCENARIO: &str = "scenario.toml";
pub const MANIFEST: &str = "manifest.json";

impl RunDir {
    /// `given`, or a new folder `<scenario>-<unix ms>` under `runs`.
    pub fn make(given: Option<&Path>, runs: &Path, scenario: &str, unix_ms: u64) -> Result<Self, RunDirError> {
        let path = given.map_or_else(|| runs.join(format!("{scenario}-{unix_ms}")), Path::to_owned);
        let failed = |source| RunDirError::Make { path: path.clone(), source };
        // Those above it are not the run's, and hold nothing of it.
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        folders::make_private(&path).map_err(failed)?;
        if !folders::is_private(&path).map_err(failed)? {
            return Err(RunDirError::Open { path });
        }
        let lock = File::open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunDirError::Taken(Taken::Now(path))),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Only now: whoever had the lock until a moment ago may have left its events since an earlier look.
        if path.join(EVENTS).exists() {
            return Err(RunDirError::Taken(Taken::Before(path)));
        }
        let path = path.canonicalize().map_err(failed)?;
        Ok(Self { path, _lock: Arc::new(lock) })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.path.join(EVENTS)
    }

    /// The path of the run's own copy of its scenario.
    #[must_use]
    pub fn scenario(&self) -> PathBuf {
        self.path.join(SCENARIO)
    }

    /// Writes down what is about to be run, so that the history can be judged without anything else.
    pub fn describe(&self, manifest: &Manifest, scenario: &Scenario) -> Result<(), RunDirError> {
        let json = reports::json::render(manifest).map_err(io::Error::other);
        json.and_then(|json| self.write(MANIFEST, &json)).map_err(self.failed(MANIFEST))?;
        self.write(SCENARIO, scenario.source()).map_err(self.failed(SCENARIO))
    }

    /// Removes `folders`, which only the running world needed. What a report or a second look needs stays: events, report, logs, config.
    pub fn drop_scratch(&self, folders: &[&str]) -> Result<(), RunDirError> {
        for folder in folders {
            let path = self.path.join(folder);
            remove_if_there(&path).map_err(|source| RunDirError::Write { path, source })?;
        }
        Ok(())
    }

    /// For a run whose outcome is all that it leaves.
    pub fn remove(&self) -> Result<(), RunDirError> {
        remove_if_there(&self.path).map_err(|source| RunDirError::Write { path: self.path.clone(), source })
    }

    pub fn write_report(&self, report: &Report) -> Result<(), RunDirError> {
        let json = reports::json::render(report).map_err(io::Error::other);
        json.and_then(|json| self.write(REPORT, &json)).map_err(self.failed(REPORT))
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        folders::write_private(&self.path.join(name), text)
    }

    fn failed(&self, name: &str) -> impl FnOnce(io::Error) -> RunDirError {
        let path = self.path.join(name);
        move |source| RunDirError::Write { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const PAUSE: Duration = Duration::from_millis(20);
    const PAUSES: usize = 50;

    #[expect(clippy::disallowed_methods, reason = "there is no runtime here that could be blocked")]
    fn pause() {
        std::thread::sleep(PAUSE);
    }

    /// Once nobody has the lock: a child that another test starts has a copy of it from its fork until its exec.
    fn unlocked(make: impl Fn() -> Result<RunDir, RunDirError>) -> Result<RunDir, RunDirError> {
        for _ in 0..PAUSES {
            match make() {
                Err(RunDirError::Taken(Taken::Now(_))) => pause(),
                made => return made,
            }
        }
        make()
    }

    #[test]
    fn a_folder_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let runs = std::env::temp_dir().join(format!("402claw-run-modes-{}", std::process::id()));
        remove_if_there(&runs).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let made = RunDir::make(None, &runs, "s", 7).unwrap();
        assert_eq!((made.path().file_name().unwrap().to_str(), mode(made.path())), (Some("s-7"), 0o700));
        made.write(MANIFEST, "{}").unwrap();
        assert_eq!(mode(&made.path().join(MANIFEST)), 0o600);

        let used = runs.join("used");
        std::fs::create_dir(&used).unwrap();
        std::fs::write(used.join("notes"), "").unwrap();
        std::fs::set_permissions(&used, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(RunDir::make(Some(&used), &runs, "s", 0), Err(RunDirError::Open { .. })));
        std::fs::remove_dir_all(runs).unwrap();
    }

    #[test]
    fn a_folder_is_one_runs_at_a_time_and_no_others_once_it_has_events() {
        let folder = std::env::temp_dir().join(format!("402claw-run-dir-{}", std::process::id()));
        // Of an earlier process of this number, which failed here.
        remove_if_there(&folder).unwrap();
        let make = || RunDir::make(Some(&folder), &folder, "s", 0);
        let first = make().unwrap();
        assert!(matches!(make(), Err(RunDirError::Taken(Taken::Now(_)))), "it runs there");
        drop(first);
        let again = unlocked(make).expect("what did not come to run may be tried again");
        std::fs::write(again.events(), "").unwrap();
        drop(again);
        assert!(matches!(unlocked(make), Err(RunDirError::Taken(Taken::Before(_)))), "it ran there");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
