//! A run of the dispatcher's core in virtual time.

use super::RunError;
use crate::{
    play::{RunDir, RunSpec},
    sim,
};
use judge::History;
use reports::{
    event::{Event, Recorded},
    report::Report,
};
use std::{
    io::{self, Write},
    path::Path,
};
use system::folders::private_file;

/// Simulates the scenario and judges it. Blocks the thread, on which no other runtime may be running.
pub fn simulated(asked: RunSpec<'_>, run_dir: &RunDir) -> Result<Report, RunError> {
    let events = sim::simulate(asked)?;
    write_events(&run_dir.events(), &events).map_err(RunError::Journal)?;
    debug_assert!(matches!(events.last(), Some(Recorded { event: Event::RunEnded, .. })));
    Ok(asked.report(run_dir.path(), &History::new(events)))
}

/// Writes events as the live tier's journal does.
pub fn write_events(path: &Path, events: &[Recorded]) -> io::Result<()> {
    let mut file = io::BufWriter::new(private_file(path)?);
    for event in events {
        file.write_all(&event.line()?)?;
    }
    file.flush()
}
