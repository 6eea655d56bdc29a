//! Follows wrangler's output line by line: into its log file, to whoever listens, and into a short memory for errors.
//! Surprising constraint: a telemetry line must come through byte for byte, so colours are only taken off lines that have
//! an escape character, which JSON never has.

use super::served::served_url;
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use system::{clock::SystemClock, folders::private_log, guard::Output};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::{mpsc, watch},
    task::JoinSet,
};

/// Lines an error quotes: enough for wrangler's boxed errors with the runtime's own words in them.
const TAIL_LINES: usize = 40;

#[derive(Debug)]
pub struct Lines {
    followers: JoinSet<()>,
    sink: Arc<Mutex<Sink>>,
}

#[derive(Debug)]
struct Sink {
    log: File,
    tail: VecDeque<String>,
    listener: mpsc::UnboundedSender<String>,
    served: watch::Sender<Option<String>>,
}

impl Lines {
    pub fn follow(
        output: Output,
        log: &Path,
        listener: mpsc::UnboundedSender<String>,
        served: watch::Sender<Option<String>>,
    ) -> io::Result<Lines> {
        let log = private_log(log)?;
        let sink = Arc::new(Mutex::new(Sink { log, tail: VecDeque::new(), listener, served }));
        let mut followers = JoinSet::new();
        followers.spawn(follow(output.stdout, Arc::clone(&sink)));
        followers.spawn(follow(output.stderr, Arc::clone(&sink)));
        Ok(Lines { followers, sink })
    }

    /// Until both streams have ended, which is when the last process that holds them is gone.
    pub async fn ended(&mut self) {
        while let Some(result) = self.followers.join_next().await {
            if let Err(error) = result
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    pub fn tail(&self) -> String {
        let sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

async fn follow(stream: impl AsyncRead + Unpin, sink: Arc<Mutex<Sink>>) {
    let mut stream = BufReader::new(stream);
    let mut bytes = Vec::new();
    // A pipe that cannot be read any more has ended.
    while let Ok(1..) = stream.read_until(b'\n', &mut bytes).await {
        let line = plain(&bytes);
        sink.lock().unwrap_or_else(PoisonError::into_inner).take(line);
        bytes.clear();
    }
}

impl Sink {
    fn take(&mut self, line: String) {
        // The log is for people; a full disk must not cost the judges their telemetry.
        // With its time: whoever reads it after a night wants to know when.
        let at = system::clock::iso(SystemClock::new().unix_ms());
        let _unwritten = writeln!(self.log, "{at} {line}");
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        if let Some(url) = served_url(&line) {
            self.served.send_replace(Some(url.to_owned()));
        }
        // Nobody listens any more once the run has been judged.
        let _unheard = self.listener.send(line);
    }
}

fn plain(bytes: &[u8]) -> String {
    let line = String::from_utf8_lossy(bytes);
    let line = line.trim_end_matches(['\r', '\n']);
    if line.contains('\u{1b}') { anstream::adapter::strip_str(line).to_string() } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn colours_go_and_telemetry_stays() {
        assert_eq!(plain("\u{1b}[33m▲ \u{1b}[1mwarning\u{1b}[0m\n".as_bytes()), "▲ warning");
        let telemetry = "{\"event\":\"request\",\"text\":\"é\\u001b[31m \u{7f}\u{9b}\"}";
        assert_eq!(plain(format!("{telemetry}\n").as_bytes()), telemetry);
    }
}
