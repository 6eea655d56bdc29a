//! Runs one command of a step: output to a log file, a heartbeat while it is quiet, a clear error when it fails.
//!
//! The child leads a process group of its own, so that calling off kills what it started too (cargo's compilers,
//! npm's workers). The terminal's Ctrl-C therefore does not reach it: whoever owns the signals sets `Cancelled`.

use super::{SetupError, Site};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};
use system::clock::{Clock as _, SystemClock};

/// How soon an ended child or a call-off is noticed.
const POLL: Duration = Duration::from_millis(50);
/// A step that says nothing for longer looks hung in a CI log.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// The lines of a failed command's output that go into the error; the rest is in the log.
const TAIL_LINES: usize = 25;

/// One command and how to speak of it.
pub struct Job {
    /// Names the step in lines and errors.
    pub step: &'static str,
    /// Names the log file.
    pub log: &'static str,
    /// The way out for a person when it fails.
    pub way_out: &'static str,
    pub time_out: Option<Duration>,
}

impl Job {
    /// Runs to the end. Anything but success is an error.
    pub fn run(&self, site: &Site, command: &mut Command) -> Result<(), SetupError> {
        if site.called_off() {
            return Err(SetupError::Interrupted { step: self.step });
        }
        let log = site.cache().log(self.log);
        let shown = shown(command);
        let mut child = self.start(command, &log, &shown)?;
        let status = self.wait(site, &mut child, &log, &shown)?;
        if status.success() {
            return Ok(());
        }
        Err(SetupError::CommandFailed {
            step: self.step,
            command: shown,
            status,
            tail: tail(&log),
            log,
            way_out: self.way_out,
        })
    }

    fn start(&self, command: &mut Command, log: &Path, shown: &str) -> Result<Child, SetupError> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).map_err(SetupError::io("cannot create", folder))?;
        }
        tracing::debug!(step = self.step, command = shown, log = %log.display(), "starting");
        let output = File::create(log).map_err(SetupError::io("cannot create", log))?;
        let errors = output.try_clone().map_err(SetupError::io("cannot write", log))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        command.spawn().map_err(|source| SetupError::NotStarted {
            step: self.step,
            command: shown.to_owned(),
            way_out: self.way_out,
            source,
        })
    }

    fn wait(&self, site: &Site, child: &mut Child, log: &Path, shown: &str) -> Result<ExitStatus, SetupError> {
        let watch = SystemClock::start();
        let mut next_beat = HEARTBEAT;
        // Nobody sends on this channel: waiting on it is a sleep that the ban on `thread::sleep` has no reason against,
        // because no runtime runs on this thread.
        let (_sender, never) = mpsc::channel::<()>();
        loop {
            if let Some(status) = child.try_wait().map_err(SetupError::io("cannot wait for", log))? {
                return Ok(status);
            }
            if site.called_off() {
                kill(child);
                return Err(SetupError::Interrupted { step: self.step });
            }
            let elapsed = Duration::from_micros(watch.now_us());
            if let Some(limit) = self.time_out
                && elapsed > limit
            {
                kill(child);
                return Err(SetupError::TimedOut {
                    step: self.step,
                    command: shown.to_owned(),
                    seconds: limit.as_secs(),
                    log: log.to_owned(),
                    way_out: self.way_out,
                });
            }
            if elapsed >= next_beat {
                next_beat += HEARTBEAT;
                site.say(&format!("      {} still at it after {} s: {}", self.step, elapsed.as_secs(), last_line(log)));
            }
            let _ = never.recv_timeout(POLL);
        }
    }
}

/// Ends the child and everything it started.
fn kill(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()).map(Pid::from_raw) {
        // Fails only when the group is gone already, which is what we want.
        let _ = killpg(group, Signal::SIGKILL);
    }
    // Reaps it; the status of a child that we killed says nothing.
    let _ = child.wait();
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn last_line(log: &Path) -> String {
    tail(log).lines().last().unwrap_or("no output yet").trim().to_owned()
}
