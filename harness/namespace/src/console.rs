//! What a tenant's process prints: shown with the tenant's name in front, and the last of it kept for errors.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use system::output::errln;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{ChildStderr, ChildStdout},
    task::JoinSet,
};

/// Lines an error quotes.
const TAIL_LINES: usize = 20;
/// A tenant may print without end and without a line break.
const MAX_LINE_BYTES: u64 = 16 * 1024;

#[derive(Debug)]
pub struct Console {
    tail: Arc<Mutex<VecDeque<String>>>,
    followers: JoinSet<()>,
}

impl Console {
    pub fn follow(name: &str, stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Console {
        let mut console = Console { tail: Arc::default(), followers: JoinSet::new() };
        if let Some(stdout) = stdout {
            console.followers.spawn(follow(stdout, name.to_owned(), Arc::clone(&console.tail)));
        }
        if let Some(stderr) = stderr {
            console.followers.spawn(follow(stderr, name.to_owned(), Arc::clone(&console.tail)));
        }
        console
    }

    pub fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Once the process has ended, with all that it said.
    pub async fn tail_at_end(mut self) -> String {
        while self.followers.join_next().await.is_some() {}
        self.tail()
    }
}

impl Drop for Console {
    /// The lines of a process that runs go on being shown; the pipes end with it.
    fn drop(&mut self) {
        self.followers.detach_all();
    }
}

async fn follow(stream: impl AsyncRead + Unpin, name: String, tail: Arc<Mutex<VecDeque<String>>>) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    // A pipe that cannot be read any more has ended.
    while let Ok(1..) = (&mut stream).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        errln!("[{name}] {text}");
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(text);
    }
}
