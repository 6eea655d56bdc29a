//! A run as it was left behind: read back, judged again, carried elsewhere. Judging needs no world, and nothing but these
//! files; a run directory, its `events.jsonl` and an export of it say the same.

mod archive;
mod events;
mod here;
mod secrets;

pub use archive::ArchiveError;
pub use events::EventsError;
pub use here::Here;

use crate::{
    exit::Exit,
    play::{EVENTS, MANIFEST, Manifest, REPORT, RunSpec, SCENARIO},
};
use clap::ValueEnum;
use events::Events;
use judge::History;
use miette::Diagnostic;
use reports::{
    comparison::{Verdicts, disagreements, verdicts},
    event::Recorded,
    report::Report,
    verdict::Verdict,
};
use scenario::{Library, LibraryError, Scenario, Tier};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// The files of an export, beside the logs; the manifest first, so that it can be looked at without unpacking the rest.
const EXPORTED: [&str; 4] = [MANIFEST, SCENARIO, EVENTS, REPORT];

/// The most bytes that are read of a run's own folder: a hundred thousand purchases are 400 MB.
const MAX_FILE_BYTES: u64 = 1 << 30;

#[derive(Debug, Error, Diagnostic)]
pub enum RecordingError {
    #[error("there is no file or folder {path}")]
    #[diagnostic(help(
        "name a run directory, its events.jsonl, or an export; every report ends with its run's directory"
    ))]
    NotThere { path: PathBuf },
    #[error("{path} holds no run: there is no {EVENTS} in it")]
    #[diagnostic(help(
        "name a run directory, its events.jsonl, or an export; every report ends with its run's directory"
    ))]
    NoRun { path: PathBuf },
    #[error("{path} cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} has {bytes} bytes, the limit is {limit}")]
    TooLarge { path: PathBuf, bytes: u64, limit: u64 },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Events(#[from] EventsError),
    #[error("{path} says nothing of its scenario: there is no {SCENARIO} beside its events")]
    #[diagnostic(help("name the scenario that it is to be judged by: --scenario {id}"))]
    NoScenario { path: PathBuf, id: String },
    #[error("the history is of scenario `{of}`, and not of `{id}`")]
    OtherScenario { of: String, id: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenario(#[from] LibraryError),
    #[error("there is no tier `{tier}`, of which the history says that it is")]
    UnknownTier { tier: String },
    #[error("{file} cannot be made sense of")]
    Json { file: String, source: serde_json::Error },
    #[error("{path} has no {MANIFEST}, so there is nothing to tell another machine")]
    #[diagnostic(help("runs have one since they can be exported; `harness check` judges older ones as well"))]
    NoManifest { path: PathBuf },
}

impl RecordingError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Archive(ArchiveError::Write { .. }) => Exit::NotWritten,
            Self::Archive(ArchiveError::Taken { .. }) => Exit::Usage,
            _ => Exit::BadScenario,
        }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Recording {
    pub scenario: Scenario,
    pub tier: Tier,
    pub seed: u64,
    pub manifest: Option<Manifest>,
    path: PathBuf,
    events: Events,
    /// By rule, as it was judged then; empty for a run that was cut short.
    verdicts: Verdicts,
}

impl Recording {
    /// Reads a run directory, its `events.jsonl`, or an export. `by` names the scenario whose checkers are to judge it, in
    /// place of the one that was kept with it.
    pub fn open(path: &Path, by: Option<&str>, library: &Library) -> Result<Self, RecordingError> {
        let (path, files) = files_of(path)?;
        let shown = |name: &str| path.join(name).display().to_string();
        let text = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(bytes));
        let no_run = || RecordingError::NoRun { path: path.clone() };
        let events = events::read(&shown(EVENTS), &text(EVENTS).ok_or_else(no_run)?)?;
        let started = &events.started;
        let scenario = match (by, text(SCENARIO)) {
            (Some(by), _) => library.load(by)?,
            (None, Some(text)) => Scenario::parse(&shown(SCENARIO), &text).map_err(LibraryError::from)?,
            (None, None) => {
                return Err(RecordingError::NoScenario { path, id: started.scenario.clone() });
            }
        };
        if scenario.id().as_str() != started.scenario {
            return Err(RecordingError::OtherScenario { of: started.scenario.clone(), id: scenario.id().to_string() });
        }
        let tier = Tier::from_str(&started.tier, false);
        let tier = tier.map_err(|_| RecordingError::UnknownTier { tier: started.tier.clone() })?;
        let manifest = files.get(MANIFEST).map(|bytes| json(shown(MANIFEST), bytes)).transpose()?;
        let report = files.get(REPORT).map(|bytes| json::<Judged>(shown(REPORT), bytes)).transpose()?;
        let checks = report.map(|report| report.checks).unwrap_or_default();
        let verdicts = checks.into_iter().map(|check| (check.id, check.verdict)).collect();
        Ok(Self { scenario, tier, seed: started.seed, manifest, path, events, verdicts })
    }

    /// The events, for callers that do not judge.
    #[must_use]
    pub fn into_events(self) -> Vec<Recorded> {
        self.events.all
    }

    /// Judges the history again, as if the run had just ended, and hands it back with what it came to.
    #[must_use]
    pub fn judge(self) -> (Report, History) {
        let as_ = self.manifest.as_ref().map_or(self.scenario.id().as_str(), |manifest| &manifest.asked_for);
        let asked = RunSpec { scenario: &self.scenario, as_, tier: self.tier, seed: self.seed };
        let history = History::new(self.events.all);
        (asked.report(&self.path, &history), history)
    }

    /// Rules that were judged otherwise then, a line each.
    #[must_use]
    pub fn compare(&self, now: &Report) -> Vec<String> {
        let changed = disagreements(&self.verdicts, &verdicts(now));
        changed.iter().map(|one| one.tell("then", "now")).collect()
    }
}

/// Packs a run directory into one file: by default, one of its name in the working directory.
pub fn export(run: &Path, output: Option<&Path>) -> Result<PathBuf, RecordingError> {
    let (path, mut files) = files_of(run)?;
    if !files.contains_key(EVENTS) {
        return Err(RecordingError::NoRun { path });
    }
    if !files.contains_key(MANIFEST) {
        return Err(RecordingError::NoManifest { path });
    }
    let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
    for log in logs(folder)? {
        files.insert(log.clone(), read(&folder.join(&log))?);
    }
    let first = EXPORTED.iter().filter_map(|name| files.remove_entry(*name));
    let packed = first.collect::<Vec<_>>().into_iter().chain(files);
    let known = secrets::of(folder);
    let packed: Vec<_> = packed.map(|(name, bytes)| (name, secrets::taken_out(bytes, &known))).collect();
    let bytes: u64 = packed.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    if bytes > archive::MAX_UNPACKED_BYTES {
        return Err(RecordingError::TooLarge { path, bytes, limit: archive::MAX_UNPACKED_BYTES });
    }
    let name = folder.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned());
    let output = output.map_or_else(|| PathBuf::from(format!("{name}.tar.gz")), Path::to_owned);
    archive::pack(&output, &packed)?;
    Ok(output)
}

/// The least of a report that a comparison needs, whatever its version.
#[derive(Deserialize)]
struct Judged {
    checks: Vec<JudgedCheck>,
}

#[derive(Deserialize)]
struct JudgedCheck {
    id: String,
    verdict: Verdict,
}

fn json<T: for<'de> Deserialize<'de>>(file: String, bytes: &[u8]) -> Result<T, RecordingError> {
    serde_json::from_slice(bytes).map_err(|source| RecordingError::Json { file, source })
}

/// The files that tell of a run, by name, and the absolute path that it is known by.
fn files_of(path: &Path) -> Result<(PathBuf, BTreeMap<String, Vec<u8>>), RecordingError> {
    let path = path.canonicalize().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RecordingError::NotThere { path: path.to_owned() },
        _ => RecordingError::Unreadable { path: path.to_owned(), source },
    })?;
    if path.is_dir() {
        return Ok((path.clone(), told_in(&path)?));
    }
    if path.extension().is_none_or(|extension| extension != "jsonl") {
        return Ok((path.clone(), archive::unpack(&path)?));
    }
    let folder = path.parent().unwrap_or(&path).to_owned();
    let mut files = told_in(&folder)?;
    files.insert(EVENTS.to_owned(), read(&path)?);
    Ok((folder, files))
}

fn told_in(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, RecordingError> {
    let there = EXPORTED.iter().filter(|name| folder.join(name).is_file());
    there.map(|name| Ok(((*name).to_owned(), read(&folder.join(name))?))).collect()
}

/// The logs of a run's folder. Of everything else, only they leave the machine: the rest holds the run's secrets.
fn logs(folder: &Path) -> Result<Vec<String>, RecordingError> {
    let unreadable = |source| RecordingError::Unreadable { path: folder.to_owned(), source };
    let mut logs = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "log") {
            logs.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    Ok(logs)
}

fn read(path: &Path) -> Result<Vec<u8>, RecordingError> {
    let unreadable = |source| RecordingError::Unreadable { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(RecordingError::TooLarge { path: path.to_owned(), bytes, limit: MAX_FILE_BYTES });
    }
    fs::read(path).map_err(unreadable)
}
