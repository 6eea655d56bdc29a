//! Which runs are kept. A folder under `runs/` is a run's where it has a manifest, events or a gate's record; anything else there
//! is somebody's own, and stays. So does a run that is under way.

use crate::{
    exit::Exit,
    play::{EVENTS, MANIFEST, REPORT},
};
use reports::report::Report;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};
use system::folders::remove_if_there;

/// The file that a gate leaves in its folder.
const GATE: &str = "gate.json";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The number of runs that are kept whatever they came to.
    pub newest: usize,
    /// Those that did not pass, however old.
    pub failed: bool,
}

#[derive(Debug, Default)]
pub struct Swept {
    /// Runs that were there.
    pub found: usize,
    pub removed: Vec<PathBuf>,
}

/// How many runs that passed stay without anybody's asking.
static AT_MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Keeps so many from now on. The command line says so once, before anything runs.
pub fn keep_at_most(newest: usize) {
    AT_MOST.store(newest, Ordering::Relaxed);
}

/// Makes room for another run, once a process: old ones that passed go. Whatever keeps it from doing so keeps no run from its place.
pub fn make_room(runs: &Path) {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let kept = Kept { newest: AT_MOST.load(Ordering::Relaxed), failed: true };
        match sweep(runs, kept, false) {
            Ok(swept) => tracing::info!(removed = swept.removed.len(), of = swept.found, "old runs"),
            Err(error) => tracing::warn!(%error, runs = %runs.display(), "old runs stay"),
        }
    });
}

/// Removes what is not kept, the oldest first; or only tells what that is.
pub fn sweep(runs: &Path, kept: Kept, only_tell: bool) -> io::Result<Swept> {
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Swept::default()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        // Another harness may be removing it.
        let modified = entry.metadata().ok().filter(fs::Metadata::is_dir).and_then(|folder| folder.modified().ok());
        if let Some(modified) = modified.filter(|_| is_a_run(&path)) {
            found.push((modified, path));
        }
    }
    found.sort();
    let old = found.len().saturating_sub(kept.newest);
    let mut swept = Swept { found: found.len(), removed: Vec::new() };
    for (_, path) in found.into_iter().take(old) {
        if (kept.failed && !passed(&path)) || is_under_way(&path) {
            continue;
        }
        if !only_tell {
            remove_if_there(&path)?;
        }
        swept.removed.push(path);
    }
    Ok(swept)
}

fn is_a_run(folder: &Path) -> bool {
    [MANIFEST, EVENTS, GATE].iter().any(|file| folder.join(file).is_file())
}

/// Tells whether a run passed. One without a verdict did not.
fn passed(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join(REPORT)).ok();
    let run = text.and_then(|text| serde_json::from_str::<Report>(&text).ok());
    let gate = fs::read_to_string(folder.join(GATE)).ok();
    let gate = gate.and_then(|text| serde_json::from_str::<gate::GateRecord>(&text).ok());
    run.is_some_and(|report| Exit::of_report(&report) == Exit::Pass)
        || gate.is_some_and(|record| record.verdict == gate::Outcome::Pass)
}

/// A harness holds its run's folder while it runs.
fn is_under_way(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|file| file.try_lock().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use system::folders::write_private;

    #[test]
    fn the_newest_and_those_that_failed_stay_and_so_does_what_is_no_run() {
        let runs = std::env::temp_dir().join(format!("402claw-sweep-{}", std::process::id()));
        remove_if_there(&runs).expect("it is ours");
        for name in ["a-1", "b-2", "c-3", "d-4"] {
            write_private(&runs.join(name).join(EVENTS), "").expect("there is room");
        }
        write_private(&runs.join("notes/mine.txt"), "x").expect("there is room");
        let names = |swept: &Swept| -> usize { swept.removed.len() };
        let told = sweep(&runs, Kept { newest: 1, failed: false }, true).expect("it can be read");
        assert_eq!((told.found, names(&told)), (4, 3));
        assert_eq!(fs::read_dir(&runs).expect("it is there").count(), 5, "only told");
        // None has a verdict, so none passed.
        let kept = sweep(&runs, Kept { newest: 1, failed: true }, false).expect("it can be read");
        assert_eq!(names(&kept), 0);
        let busy = File::open(runs.join("a-1")).expect("it is there");
        busy.try_lock().expect("nobody has it");
        let swept = sweep(&runs, Kept { newest: 0, failed: false }, false).expect("it can be read");
        assert_eq!(names(&swept), 3, "one is under way");
        assert!(runs.join("notes/mine.txt").is_file() && runs.join("a-1").is_dir());
        assert_eq!(sweep(&runs.join("none"), Kept { newest: 0, failed: false }, false).expect("nothing").found, 0);
        drop(busy);
        fs::remove_dir_all(runs).expect("it is ours");
    }
}
