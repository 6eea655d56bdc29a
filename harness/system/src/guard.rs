//! The process guard: a child of the harness that outlives it just long enough to kill what the harness had started.
//! Surprising constraint: a harness killed by SIGKILL can do nothing, so the guard watches a pipe that only the harness
//! holds open (the leash), and the guarded command must never inherit it.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::{ExitCode, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
    sync::watch,
};

mod process;

pub use process::{GuardProcessError, run};

/// Hidden subcommand under which the harness's own program acts as a guard: `harness __guard -- command args...`.
pub const SUBCOMMAND: &str = "__guard";

/// Its option for [`Files::Private`].
const PRIVATE: &str = "--private";

/// Byte on the leash that asks for SIGKILL at once, as a crash would be; the end of the leash asks for an orderly stop.
const KILL_NOW: u8 = b'k';

/// Between two looks at whether an end was asked for.
const ENDING_POLL: Duration = Duration::from_millis(100);

/// Exit code of a guard that could not do its work; what it guards ends with codes of its own.
const GUARD_FAILED: u8 = 70;

/// Acts as a guard if that is what this process was started for. To be called first thing in `main`: a guard must not
/// depend on anything that a command line could get wrong.
pub fn act_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != SUBCOMMAND {
        return None;
    }
    let files = match args.next()? {
        word if word == "--" => Files::AsUsual,
        word if word == PRIVATE && args.next()? == "--" => Files::Private,
        _ => return None,
    };
    Some(process::guard(args.collect(), files).map_or_else(
        |error| {
            eprintln!("harness guard: {}", chain(&error));
            ExitCode::from(GUARD_FAILED)
        },
        ExitCode::from,
    ))
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The program that acts as a guard.
#[derive(Clone, Debug)]
pub struct Guard {
    program: PathBuf,
}

impl Guard {
    /// The running program itself, even if its file has been rebuilt in the meantime.
    pub fn this_program() -> Guard {
        Guard { program: PathBuf::from("/proc/self/exe") }
    }

    /// Another build of the harness, for tests.
    pub fn at(program: PathBuf) -> Guard {
        Guard { program }
    }

    /// Starts `command` with nothing of this process's environment but `command.env`.
    pub fn spawn(&self, command: &GuardedCommand) -> Result<(Guarded, Output), GuardError> {
        let mut child = Command::new(&self.program)
            .arg(SUBCOMMAND)
            .args(matches!(command.files, Files::Private).then_some(PRIVATE))
            .arg("--")
            .arg(&command.program)
            .args(&command.args)
            .env_clear()
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&command.cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| GuardError::Spawn { program: command.program.clone(), source })?;
        let (Some(leash), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            panic!("a child spawned with three pipes has three pipes");
        };
        let guard = child.id();
        // Awaited by a task, so that whoever wants to know of its end can, beside whoever may stop it.
        let (told, exited) = watch::channel(None);
        tokio::spawn(async move { told.send_replace(Some(child.wait().await.map_err(|error| error.kind()))) });
        Ok((Guarded { guard, leash: Some(leash), exited, asked: Arc::default() }, Output { stdout, stderr }))
    }
}

#[derive(Clone, Debug)]
pub struct GuardedCommand {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    pub cwd: PathBuf,
    pub files: Files,
}

/// The readers of the files that a command writes, unless it sets their mode itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Its owner alone: it writes what belongs to a run.
    Private,
    /// Whoever the harness's own umask lets.
    AsUsual,
}

/// The output of the command. Two pipes, because long lines of two streams would tear each other in one.
#[derive(Debug)]
pub struct Output {
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
}

/// A running command and all its descendants. Dropping it lets go of the leash, on which the guard stops them all.
#[derive(Debug)]
pub struct Guarded {
    guard: Option<u32>,
    leash: Option<ChildStdin>,
    /// The status that the guard ended with, once it has.
    exited: watch::Receiver<Option<Result<ExitStatus, io::ErrorKind>>>,
    /// Set once its end was asked for.
    asked: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("starting {program} under its guard")]
    Spawn { program: PathBuf, source: io::Error },
    #[error("waiting for the guard")]
    Wait(#[source] io::Error),
    #[error("telling the guard to kill")]
    Kill(#[source] io::Error),
}

impl Guarded {
    /// Until the command has exited by itself and no descendant is left. The status is the command's own; a death by
    /// signal is told as 128 + signal.
    pub async fn wait_exit(&mut self) -> Result<ExitStatus, GuardError> {
        exit_of(&mut self.exited).await
    }

    /// Comes back when the command ends though nobody asked for it.
    pub fn unasked_exit(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        let (mut exited, asked) = (self.exited.clone(), Arc::clone(&self.asked));
        async move {
            match exit_of(&mut exited).await {
                Ok(status) if !asked.load(Ordering::Relaxed) => status,
                _ => std::future::pending().await,
            }
        }
    }

    /// The guard's own process, of which all that it guards descends.
    pub fn guard(&self) -> Option<u32> {
        self.guard
    }

    /// The beginning of its end, whoever brought that about.
    pub fn ending(&self) -> Ending {
        Ending { exited: self.exited.clone(), asked: Arc::clone(&self.asked) }
    }

    /// Asks the command to end, kills what does not, and comes back when no descendant is left.
    pub async fn stop(&mut self) -> Result<ExitStatus, GuardError> {
        self.asked.store(true, Ordering::Relaxed);
        drop(self.leash.take());
        self.wait_exit().await
    }

    /// SIGKILL to everything, without a chance to tidy up.
    pub async fn kill(&mut self) -> Result<ExitStatus, GuardError> {
        self.asked.store(true, Ordering::Relaxed);
        if let Some(mut leash) = self.leash.take() {
            match leash.write_all(&[KILL_NOW]).await {
                // The guard is through with its work already.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                result => result.map_err(GuardError::Kill)?,
            }
        }
        self.wait_exit().await
    }
}

impl Drop for Guarded {
    /// Counts as asking for its end.
    fn drop(&mut self) {
        self.asked.store(true, Ordering::Relaxed);
    }
}

/// The handle that [`Guarded::ending`] gives.
#[derive(Debug)]
pub struct Ending {
    exited: watch::Receiver<Option<Result<ExitStatus, io::ErrorKind>>>,
    asked: Arc<AtomicBool>,
}

impl Ending {
    /// Comes back once it has ended, or is being ended.
    pub async fn begun(&mut self) {
        loop {
            if self.asked.load(Ordering::Relaxed) {
                return;
            }
            tokio::select! {
                _ = exit_of(&mut self.exited) => return,
                () = tokio::time::sleep(ENDING_POLL) => {}
            }
        }
    }
}

async fn exit_of(
    exited: &mut watch::Receiver<Option<Result<ExitStatus, io::ErrorKind>>>,
) -> Result<ExitStatus, GuardError> {
    let ended = exited.wait_for(Option::is_some).await.map(|ended| *ended);
    // The task that tells is gone only with the runtime.
    let ended = ended.ok().flatten().unwrap_or(Err(io::ErrorKind::Interrupted));
    ended.map_err(|kind| GuardError::Wait(kind.into()))
}
