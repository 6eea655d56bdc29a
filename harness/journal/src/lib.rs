//! The run's event stream: stamped where a thing happens, written by one task, and kept for the judges where there are any.
//!
//! Stamped by whoever saw it and not by the writer: under load the writer lags, and "the money moved before the content
//! left" must not depend on that.

use reports::event::{Event, Recorded};
use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};
use system::{clock::Clock, folders::private_file};
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

/// The writing end. Ends when every [`Journal`] is gone. `Kept` is what it has in memory by then.
pub struct JournalWriter<Kept> {
    task: JoinHandle<io::Result<Kept>>,
}

impl Journal {
    /// Writes to `path`, a line an event, as they come: a run that is cut short leaves what it saw. The whole history is kept
    /// as well, for the judges.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> io::Result<(Self, JournalWriter<Vec<Recorded>>)> {
        Self::start(path, clock, Vec::push)
    }

    /// Writes to `path` and keeps nothing, for a world that nobody judges and that may stay for days.
    pub fn stream(path: &Path, clock: Arc<dyn Clock>) -> io::Result<(Self, JournalWriter<()>)> {
        Self::start(path, clock, |(), _| {})
    }

    fn start<Kept: Default + Send + 'static>(
        path: &Path,
        clock: Arc<dyn Clock>,
        keep: fn(&mut Kept, Recorded),
    ) -> io::Result<(Self, JournalWriter<Kept>)> {
        let file = private_file(path)?;
        let (lines, received) = mpsc::unbounded_channel();
        let task = tokio::task::spawn_blocking(move || write(io::BufWriter::new(file), received, keep));
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

    /// The events from now on, for whoever acts on events while the run is on.
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

impl<Kept> JournalWriter<Kept> {
    /// Returns the kept history once everybody who could add to it is gone.
    pub async fn finish(self) -> io::Result<Kept> {
        self.task.await.map_err(io::Error::other)?
    }

    /// Comes back only if nothing can be written any more, and is not to be called again then.
    pub async fn failed(&mut self) -> io::Error {
        match (&mut self.task).await {
            Ok(Ok(_)) => std::future::pending().await,
            Ok(Err(error)) => error,
            Err(panicked) => io::Error::other(panicked),
        }
    }
}

fn write<Kept: Default>(
    mut file: impl Write,
    mut received: mpsc::UnboundedReceiver<Recorded>,
    keep: fn(&mut Kept, Recorded),
) -> io::Result<Kept> {
    let mut kept = Kept::default();
    while let Some(recorded) = received.blocking_recv() {
        file.write_all(&recorded.line()?)?;
        if received.is_empty() {
            file.flush()?;
        }
        keep(&mut kept, recorded);
    }
    file.flush()?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use system::clock::SystemClock;

    /// A disk that is full from the start.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_stream_writes_what_a_journal_writes_and_keeps_nothing() {
        let path = std::env::temp_dir().join(format!("402claw-journal-{}", std::process::id()));
        let clock = || Arc::new(SystemClock::new()) as Arc<dyn Clock>;
        let (journal, writer) = Journal::open(&path, clock()).unwrap();
        journal.record(Event::RunEnded);
        drop(journal);
        assert_eq!(writer.finish().await.unwrap().len(), 1);
        let kept = std::fs::read(&path).unwrap();
        let (journal, writer) = Journal::stream(&path, clock()).unwrap();
        journal.record(Event::RunEnded);
        drop(journal);
        let () = writer.finish().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), kept);
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_journal_that_cannot_write_says_so_while_it_is_in_use() {
        let (journal, received) = Journal::channel(Arc::new(SystemClock::new()));
        let task = tokio::task::spawn_blocking(move || write::<()>(Full, received, |(), _| {}));
        journal.record(Event::RunEnded);
        let mut writer = JournalWriter { task };
        assert_eq!(writer.failed().await.kind(), io::ErrorKind::StorageFull);
        journal.record(Event::RunEnded);
    }
}
