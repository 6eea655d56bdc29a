//! The harness's own diagnosis, by `tracing`: set-up, worlds, phases and requests. As much of it as `-v` or `RUST_LOG` ask for goes to
//! standard error, and all of it, as a line of JSON each, to the folder of the live run that is under way.
//!
//! Surprising constraint: nothing of it may cost anything where nobody asked and no run keeps it, since simulated runs come through
//! the same code a thousand times a second.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::dynamic_filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

use crate::{folders::private_file, screen::aside};

/// The file in a run's folder.
pub const LOG: &str = "harness.log";

static KEEPS: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<Option<File>> = Mutex::new(None);

/// The writer of standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Lines,
    Json,
}

/// Begins, once a process. `verbosity` is how often `-v` was given; `RUST_LOG` says it more finely.
pub fn begin(verbosity: u8, form: Form) {
    let default = match verbosity {
        0 => "off",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let to_people = match form {
        Form::Lines => fmt::layer().with_ansi(false).with_writer(ToStderr).with_filter(filter()).boxed(),
        Form::Json => fmt::layer().json().with_writer(ToStderr).with_filter(filter()).boxed(),
    };
    let is_kept = |metadata: &Metadata<'_>| KEEPS.load(Ordering::Relaxed) && *metadata.level() <= Level::DEBUG;
    let to_run =
        fmt::layer().json().with_writer(ToRun).with_filter(dynamic_filter_fn(move |metadata, _| is_kept(metadata)));
    // A second subscriber would be of a second command line, which a process does not have.
    let _ = registry().with(to_people).with(to_run).try_init();
}

/// Keeps the diagnosis in a folder while it lives. There is one run at a time that has one.
#[derive(Debug)]
pub struct Kept(());

/// Keeps it in that folder from now on.
pub fn keep_in(folder: &Path) -> io::Result<Kept> {
    let file = private_file(&folder.join(LOG))?;
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    KEEPS.store(true, Ordering::Relaxed);
    Ok(Kept(()))
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEEPS.store(false, Ordering::Relaxed);
        *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[derive(Clone, Copy)]
struct ToStderr;

impl<'a> MakeWriter<'a> for ToStderr {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for ToStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        aside(|| io::stderr().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct ToRun;

impl<'a> MakeWriter<'a> for ToRun {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for ToRun {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        // A run whose folder cannot be written to any more is told so by its journal.
        kept.as_mut().map_or(Ok(bytes.len()), |file| file.write_all(bytes).map(|()| bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{info, info_span};

    #[test]
    fn what_happens_while_a_run_keeps_it_is_in_its_folder_with_the_runs_id() {
        let folder = std::env::temp_dir().join(format!("402claw-diagnosis-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        begin(0, Form::Lines);
        info!("before");
        let kept = keep_in(&folder).unwrap();
        info_span!("run", id = "outage-7").in_scope(|| info!(port = 8402, "listening"));
        drop(kept);
        info!("after");
        let text = std::fs::read_to_string(folder.join(LOG)).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in ["\"listening\"", "\"port\":8402", "\"id\":\"outage-7\"", "\"timestamp\""] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
