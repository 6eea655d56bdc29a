//! One run of a scenario, from a world of either tier to a judged report.

mod live;
mod retention;
mod simulated;

pub use live::{began, live, start_or_interrupted};
pub use retention::{Kept, Swept, keep_at_most, make_room, sweep};
pub use simulated::{simulated, write_events};

use crate::{
    exit::Exit,
    live::LiveError,
    play::RunDirError,
    sim::SimError,
    world::{WorldError, deaths::Death},
};
use std::io;
use traffic::HttpError;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RunError {
    #[error("the system under test did not start")]
    DidNotStart(#[source] LiveError),
    #[error("the dispatcher did not start again after it was killed")]
    DidNotComeBack(#[source] WorldError),
    #[error(transparent)]
    Died(Death),
    #[error("the world did not stop cleanly")]
    DidNotStop(#[source] LiveError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the simulation did not start")]
    Simulation(#[from] SimError),
    #[error("the run's history could not be written")]
    Journal(#[source] io::Error),
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    #[error("interrupted")]
    #[diagnostic(help("everything that was started has been stopped"))]
    Interrupted,
}

impl RunError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Simulation(SimError::NotInThisTier(_)) => Exit::NothingRan,
            Self::DidNotStart(_) | Self::DidNotComeBack(_) | Self::Died(_) | Self::Simulation(_) => Exit::DidNotStart,
            Self::Interrupted => Exit::Interrupted,
            Self::Journal(_) => Exit::NotWritten,
            Self::RunDir(error) => error.exit(),
            Self::DidNotStop(_) | Self::Http(_) => Exit::Internal,
        }
    }
}
