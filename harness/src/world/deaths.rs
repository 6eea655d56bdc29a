//! Whether what a world is made of still runs. A part that ends by itself ends the world: what is left would fail each request
//! in its own way, and every judge would blame the dispatcher.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::runtimes::Runtimes;
use super::tail::tail;
use system::guard::Guarded;

/// The time within which the last words of a part arrive after its end.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The time within which the end of the whole is known, if a runtime died with it.
const OF_THE_WHOLE: Duration = Duration::from_secs(1);

/// The number that shells, and our guards, add to a signal's.
const SIGNALLED: i32 = 128;

/// The end of a part that nobody asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} ended by itself ({how}){}", Kept(log.as_deref(), last_lines))]
pub struct Death {
    pub part: String,
    pub how: String,
    pub log: Option<PathBuf>,
    pub last_lines: String,
}

struct Kept<'a>(Option<&'a Path>, &'a str);

impl fmt::Display for Kept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(None, _) => Ok(()),
            Self(Some(log), "") => write!(f, "; its log {} is empty", log.display()),
            Self(Some(log), lines) => write!(f, "; its log is {}, and ends with:\n{lines}", log.display()),
        }
    }
}

/// The end at which deaths are told.
#[derive(Clone, Debug)]
pub struct Watch(mpsc::UnboundedSender<Death>);

/// The end at which deaths are heard.
#[derive(Debug)]
pub struct Deaths(mpsc::UnboundedReceiver<Death>);

impl Watch {
    #[must_use]
    pub fn new() -> (Self, Deaths) {
        let (watch, deaths) = mpsc::unbounded_channel();
        (Self(watch), Deaths(deaths))
    }

    /// Tells of its end, unless that is asked for.
    pub fn over(&self, part: &str, process: &Guarded, log: &Path) {
        let (exit, told) = (process.unasked_exit(), self.clone());
        let (part, log) = (part.to_owned(), log.to_owned());
        tokio::spawn(async move {
            let how = how(exit.await);
            told.tell(part, how, log).await;
        });
    }

    /// Tells of the end of a runtime below it, which a process that drives one may outlive without a word.
    pub fn over_runtimes(&self, part: &str, process: &Guarded, log: &Path) {
        let Some(guard) = process.guard() else { return };
        let (mut process, told) = (process.ending(), self.clone());
        let (part, log) = (format!("a workerd of {part}"), log.to_owned());
        tokio::spawn(async move {
            let pid = tokio::select! {
                pid = Runtimes::below(guard).one_lost() => pid,
                () = process.begun() => return,
            };
            // The end of the whole is asked for, or told by whoever watches over it.
            if timeout(OF_THE_WHOLE, process.begun()).await.is_err() {
                told.tell(part, format!("process {pid} is gone"), log).await;
            }
        });
    }

    /// Tells of what is no process and has no log.
    pub fn tell_of(&self, part: String, how: String) {
        // Nobody listens any more once the world is being stopped.
        let _ = self.0.send(Death { part, how, log: None, last_lines: String::new() });
    }

    async fn tell(self, part: String, how: String, log: PathBuf) {
        sleep(LAST_WORDS).await;
        let last_lines = tail(&log);
        let _ = self.0.send(Death { part, how, log: Some(log), last_lines });
    }
}

impl Deaths {
    /// The first that there is.
    pub async fn first(&mut self) -> Death {
        match self.0.recv().await {
            Some(death) => death,
            None => std::future::pending().await,
        }
    }
}

fn how(status: ExitStatus) -> String {
    match status.code() {
        Some(code) if code > SIGNALLED => format!("killed by signal {}", code - SIGNALLED),
        _ => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_death_is_told_with_its_log_and_what_that_ends_with() {
        let death = |log: Option<&str>, last_lines: &str| Death {
            part: "the dispatch namespace".to_owned(),
            how: how(ExitStatus::from_raw(137 << 8)),
            log: log.map(PathBuf::from),
            last_lines: last_lines.to_owned(),
        };
        assert_eq!(
            death(Some("/run/namespace.log"), "one\ntwo").to_string(),
            "the dispatch namespace ended by itself (killed by signal 9); its log is /run/namespace.log, and ends with:\none\ntwo"
        );
        assert!(death(Some("/run/namespace.log"), "").to_string().ends_with("its log /run/namespace.log is empty"));
        assert!(death(None, "").to_string().ends_with("(killed by signal 9)"));
        assert_eq!(how(ExitStatus::from_raw(70 << 8)), "exit status: 70");
    }
}
