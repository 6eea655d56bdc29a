//! What the guard does once it is its own process. Surprising constraint: a descendant may have left the command's process
//! group or lost its parents, so the guard makes itself the reaper of orphans and kills its own children until it has none.

use super::{Files, KILL_NOW};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill, killpg},
        stat::{Mode, umask},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, setsid},
};
use std::{
    ffi::OsString,
    fs, io,
    os::{fd::AsFd, unix::process::ExitStatusExt},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};

/// How long the command may take to end in order. wrangler needs about 0.3 s; on a loaded machine ten times that.
const GRACE: Duration = Duration::from_secs(3);
/// How long SIGKILL may take to be carried out before the guard gives up on a process the kernel does not let go of.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks at which children are left.
const POLL: Duration = Duration::from_millis(10);

#[derive(Debug, thiserror::Error)]
pub enum GuardProcessError {
    #[error("no command to guard")]
    NoCommand,
    #[error("setting up the guard")]
    SetUp(#[source] io::Error),
    #[error("starting {program}")]
    Start { program: String, source: io::Error },
    #[error("waiting for the guarded command")]
    Wait(#[source] io::Error),
    #[error("listing what is left of the guarded command")]
    List(#[source] io::Error),
    #[error("{left} guarded processes cannot be killed")]
    Survivors { left: usize },
}

/// Why the guard began to stop the command.
enum Cause {
    Exited(ExitStatus),
    /// The harness is gone, or let go.
    LeashEnded,
    KillNow,
}

/// Runs `command` (program and arguments) until it exits or the leash, which is this process's stdin, ends. Gives the
/// exit code for this process.
pub fn guard(command: Vec<OsString>, files: Files) -> Result<u8, GuardProcessError> {
    if files == Files::Private {
        // The command and all its descendants inherit it.
        umask(Mode::S_IRWXG | Mode::S_IRWXO);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(GuardProcessError::SetUp)?;
    runtime.block_on(run(command))
}

pub async fn run(command: Vec<OsString>) -> Result<u8, GuardProcessError> {
    let (program, args) = command.split_first().ok_or(GuardProcessError::NoCommand)?;
    // A session of its own: the terminal's Ctrl-C is for the harness, which then stops the command in order.
    match setsid() {
        Ok(_) | Err(Errno::EPERM) => {}
        Err(errno) => return Err(GuardProcessError::SetUp(errno.into())),
    }
    nix::sys::prctl::set_child_subreaper(true).map_err(|errno| GuardProcessError::SetUp(errno.into()))?;
    let leash = io::stdin().as_fd().try_clone_to_owned().map_err(GuardProcessError::SetUp)?;
    let mut leash = pipe::Receiver::from_owned_fd(leash).map_err(GuardProcessError::SetUp)?;
    let mut asked_to_stop = StopSignals::listen().map_err(GuardProcessError::SetUp)?;

    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|source| GuardProcessError::Start { program: program.to_string_lossy().into(), source })?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);

    let mut byte = [0];
    let cause = tokio::select! {
        status = child.wait() => Cause::Exited(status.map_err(GuardProcessError::Wait)?),
        read = leash.read(&mut byte) => match read {
            Ok(1) if byte == [KILL_NOW] => Cause::KillNow,
            // A leash that cannot be read is a leash that does not hold.
            Ok(_) | Err(_) => Cause::LeashEnded,
        },
        () = asked_to_stop.any() => Cause::LeashEnded,
    };
    let status = end(&mut child, group, cause).await?;
    Ok(exit_code(status))
}

async fn end(child: &mut Child, group: Option<Pid>, cause: Cause) -> Result<ExitStatus, GuardProcessError> {
    let exited = match cause {
        Cause::Exited(status) => Some(status),
        Cause::KillNow => None,
        Cause::LeashEnded => {
            // SIGINT, because that is what wrangler tidies up on.
            signal_group(group, Signal::SIGINT);
            signal_group(group, Signal::SIGTERM);
            match timeout(GRACE, child.wait()).await {
                Ok(status) => Some(status.map_err(GuardProcessError::Wait)?),
                Err(_) => None,
            }
        }
    };
    signal_group(group, Signal::SIGKILL);
    let status = match exited {
        Some(status) => status,
        None => child.wait().await.map_err(GuardProcessError::Wait)?,
    };
    match timeout(KILL_LIMIT, kill_children()).await {
        Ok(result) => result?,
        Err(_) => {
            let left = children().map_err(GuardProcessError::List)?.len();
            return Err(GuardProcessError::Survivors { left });
        }
    }
    Ok(status)
}

/// A child's children become ours when it dies, so this ends only when the whole tree is gone.
async fn kill_children() -> Result<(), GuardProcessError> {
    loop {
        for child in children().map_err(GuardProcessError::List)? {
            // Gone in between is what we want.
            let _gone = kill(child, Signal::SIGKILL);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(GuardProcessError::Wait(errno.into())),
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) => {}
            }
        }
        sleep(POLL).await;
    }
}

fn children() -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        let listed = fs::read_to_string(task?.path().join("children"))?;
        children.extend(listed.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw));
    }
    Ok(children)
}

fn signal_group(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // A group that is gone already is what we want.
        let _gone = killpg(group, signal);
    }
}

/// Signals that ask the guard itself to stop; without handlers they would end it and leave the command behind.
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> io::Result<StopSignals> {
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// The exit code as a shell tells it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}
