//! The run's event stream: stamped where a thing happens, written by one task, kept for the judges.
//!
//! Stamped by whoever saw it and not by the writer: under load the writer lags, and "the money moved before the content
//! left" must not depend on that.

use crate::{clock::Clock, folders::private_file};
use reports::event::{Event, Recorded};
use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
};

/// Events that a follower may be behind before it misses some: seconds of a busy run, where a follower needs microseconds.
const FOLLOWERS_LAG: usize = 4096;

/// Takes events from anywhere in the harness.
#[derive(Clone)]
pub struct Journal {
    clock: Arc<dyn Clock>,
    lines: mpsc::UnboundedSender<Recorded>,
    followers: broadcast::Sender<Event>,
}

/// The writing end. Ends when every [`Journal`] is gone.
pub struct JournalWriter {
    task: JoinHandle<io::Result<Vec<Recorded>>>,
}

impl Journal {
    /// Writes to `path`, a line an event, as they come: a run that is cut short leaves what it saw.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> io::Result<(Self, JournalWriter)> {
        let file = private_file(path)?;
        let (lines, received) = mpsc::unbounded_channel();
        let task = tokio::task::spawn_blocking(move || write(io::BufWriter::new(file), received));
        Ok((Self::new(clock, lines), JournalWriter { task }))
    }

    /// A journal that is read as it is written, for tests.
    #[must_use]
    pub fn channel(clock: Arc<dyn Clock>) -> (Self, mpsc::UnboundedReceiver<Recorded>) {
        let (lines, received) = mpsc::unbounded_channel();
        (Self::new(clock, lines), received)
    }

    fn new(clock: Arc<dyn Clock>, lines: mpsc::UnboundedSender<Recorded>) -> Self {
        Self { clock, lines, followers: broadcast::Sender::new(FOLLOWERS_LAG) }
    }

    /// What is recorded from now on, for whoever acts on events while the run is on.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<Event> {
        self.followers.subscribe()
    }

    pub fn record(&self, event: Event) {
        if self.followers.receiver_count() > 0 {
            // Fails only if the last follower has just gone.
            let _ = self.followers.send(event.clone());
        }
        // The writer ends early only if the disk is full, and says so when it is asked for the history.
        let _ = self.lines.send(Recorded { at_us: self.clock.now_us(), event });
    }

    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

impl JournalWriter {
    /// The whole history, once everybody who could add to it is gone.
    pub async fn finish(self) -> io::Result<Vec<Recorded>> {
        self.task.await.map_err(io::Error::other)?
    }
}

fn write(mut file: impl Write, mut received: mpsc::UnboundedReceiver<Recorded>) -> io::Result<Vec<Recorded>> {
    let mut history = Vec::new();
    while let Some(recorded) = received.blocking_recv() {
        file.write_all(&recorded.line()?)?;
        if received.is_empty() {
            file.flush()?;
        }
        history.push(recorded);
    }
    file.flush()?;
    Ok(history)
}
