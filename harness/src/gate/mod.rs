//! `harness gate`: runs what a profile asks for, each part as a program of its own, and writes what it came to. What is decided is in
//! the crate `gate`; here are processes and files.
//!
//! Surprising constraint: the bundle is copied before anything runs, and every part runs that copy. A build that somebody makes
//! meanwhile is neither judged nor let through.

mod facts;
mod files;
mod outcome;
mod runner;

pub use facts::{machine, now_ms, profile, scenarios, source};
pub use files::{BundleFiles, bundle_files, config_files, copy_bundle};
pub use outcome::{Finished, job_record, parts_report};
pub use runner::{Cut, Ran, Runner, beside, not_begun};

use crate::exit::Exit;
use gate::Outcome;
use std::{io, path::PathBuf};
use system::guard::GuardError;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum GateError {
    #[error("reading {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("writing {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} is no gate's record: {source}")]
    #[diagnostic(help("a record is what `harness gate` wrote, unchanged"))]
    NoRecord { path: PathBuf, source: serde_json::Error },
    #[error("{path} holds no bundle")]
    #[diagnostic(help("a bundle is a folder with index.js and index_bg.wasm, as `worker-build` leaves it"))]
    NoBundle { path: PathBuf },
    #[error("a part of the gate could not be started")]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Key(#[from] gate::SealError),
    #[error(transparent)]
    Budgets(#[from] gate::BudgetError),
    #[error("this program cannot find its own file")]
    Program(#[source] io::Error),
}

impl GateError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Write { .. } => Exit::NotWritten,
            Self::Guard(_) | Self::Program(_) => Exit::Internal,
            Self::Read { .. } | Self::NoRecord { .. } | Self::NoBundle { .. } | Self::Key(_) | Self::Budgets(_) => {
                Exit::Usage
            }
        }
    }
}

/// The exit code of a gate with that verdict.
#[must_use]
pub fn exit(verdict: Outcome, ran: usize) -> Exit {
    match verdict {
        Outcome::Pass => Exit::Pass,
        Outcome::Fail => Exit::RuleBroken,
        _ if ran == 0 => Exit::NothingRan,
        Outcome::Unknown | Outcome::NotRun => Exit::Unknown,
    }
}
