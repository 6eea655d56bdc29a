//! One process of one tenant: a workerd that serves that tenant's script and nothing else, reached by two sockets in a
//! folder of its own. Dropping it kills it and takes the folder away.
//!
//! Surprising constraint: it is told to serve one invocation at a time, so that CPU time and subrequests have one owner.

use super::{
    console::Console,
    cpu_clock::CpuClock,
    memory::Memory,
    outbound::Outbound,
    policy::Policy,
    script::Script,
    stream::{empty, send},
    workerd_config::{self, CONFIG, INBOUND, OUTBOUND},
};
use hyper::{Request, Uri};
use nix::unistd::Pid;
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

/// A start takes 40 ms on an idle machine; a script that waits for ever at its top level never gets there.
const START_LIMIT: Duration = Duration::from_secs(30);
/// The CPU time that a script has at its top level on the platform. The runtime's own start, 0.05 s, is in it here.
const START_CPU_LIMIT: Duration = Duration::from_secs(1);
/// Between two looks at whether a process serves.
const POLL: Duration = Duration::from_millis(3);
/// The bytes that the kernel takes as the name of a socket, its final zero included.
const MAX_SOCKET_PATH: usize = 108;

/// The folder in which processes are made.
#[derive(Debug)]
pub struct Workshop {
    workerd: PathBuf,
    folder: PathBuf,
    policy: Arc<Policy>,
    /// The memory that an isolate may hold.
    memory: Memory,
    next: AtomicU64,
}

#[derive(Debug)]
pub struct Process {
    script: Arc<Script>,
    pid: Pid,
    /// The memory that it held when it was ready.
    memory_from: Memory,
    outbound: Outbound,
    // Order matters: killed, then swept up after.
    child: Child,
    folder: OwnFolder,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("preparing a process's folder {folder}: {source}")]
    Prepare { folder: PathBuf, source: io::Error },
    #[error("{folder} is too long a path for a socket; set TMPDIR to a shorter one")]
    PathTooLong { folder: PathBuf },
    #[error("starting {workerd}: {source}")]
    Spawn { workerd: PathBuf, source: io::Error },
    #[error("script `{script}` does not start:\n{said}")]
    Exited { script: String, said: String },
    #[error("script `{script}` computes for more than {} s at its top level, which the platform refuses to deploy:\n{said}", START_CPU_LIMIT.as_secs())]
    TooSlow { script: String, said: String },
    #[error("script `{script}` was not ready within {} s:\n{said}", START_LIMIT.as_secs())]
    NotReady { script: String, said: String },
}

impl Workshop {
    /// `folder` must be there, and nobody else's.
    pub fn new(workerd: PathBuf, folder: PathBuf, policy: Policy, memory: Memory) -> Workshop {
        Workshop { workerd, folder, policy: Arc::new(policy), memory, next: AtomicU64::new(0) }
    }

    pub async fn start(&self, script: Arc<Script>) -> Result<Process, StartError> {
        let folder = self.make_folder()?;
        let prepare = |source| StartError::Prepare { folder: folder.0.clone(), source };
        let outbound =
            Outbound::listen(&folder.0.join(OUTBOUND), &script.name, Arc::clone(&self.policy)).map_err(prepare)?;
        workerd_config::write(&folder.0, &script, self.memory).map_err(prepare)?;
        let mut child = Command::new(&self.workerd)
            .args(["serve", CONFIG])
            .env_clear()
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The guard's polite signals are for the supervisor, which then ends these.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| StartError::Spawn { workerd: self.workerd.clone(), source })?;
        let console = Console::follow(&script.name, child.stdout.take(), child.stderr.take());
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).expect("a child that was not waited for has an id");
        let pid = Pid::from_raw(pid);
        let mut process = Process { script, pid, memory_from: Memory::default(), outbound, child, folder };
        let name = || process.script.name.clone();
        match timeout(START_LIMIT, started(&mut process.child, pid, &process.folder.0)).await {
            Ok(Start::Serves) => {
                process.memory_from = Memory::held_by(process.pid).unwrap_or_default();
                let _earlier = process.script.started.set(());
                Ok(process)
            }
            Ok(Start::Ended) => Err(StartError::Exited { script: name(), said: console.tail_at_end().await }),
            Ok(Start::Computes) => Err(StartError::TooSlow { script: name(), said: console.tail() }),
            Err(_) => Err(StartError::NotReady { script: name(), said: console.tail() }),
        }
    }

    fn make_folder(&self) -> Result<OwnFolder, StartError> {
        let folder = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        if folder.join(OUTBOUND).as_os_str().len() >= MAX_SOCKET_PATH {
            return Err(StartError::PathTooLong { folder });
        }
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => Ok(OwnFolder(folder)),
            Err(source) => Err(StartError::Prepare { folder, source }),
        }
    }
}

/// The result of a start.
enum Start {
    Serves,
    Ended,
    /// On and on.
    Computes,
}

async fn started(child: &mut Child, pid: Pid, folder: &Path) -> Start {
    let serves = first_answer(folder);
    tokio::pin!(serves);
    loop {
        tokio::select! {
            biased;
            () = &mut serves => return Start::Serves,
            () = sleep(POLL) => {}
        }
        // It may be reaped here: no budget is armed for it yet.
        if !matches!(child.try_wait(), Ok(None)) {
            return Start::Ended;
        }
        if CpuClock::of(pid).and_then(CpuClock::read).is_ok_and(|computed| computed > START_CPU_LIMIT) {
            return Start::Computes;
        }
    }
}

/// A first request makes the isolate, so that no invocation is charged for that.
async fn first_answer(folder: &Path) {
    loop {
        if let Ok(stream) = UnixStream::connect(folder.join(INBOUND)).await {
            let mut request = Request::new(empty());
            *request.uri_mut() = Uri::from_static("http://namespace/");
            if send(stream, request).await.is_ok() {
                return;
            }
        }
        sleep(POLL).await;
    }
}

impl Process {
    pub fn script(&self) -> &Arc<Script> {
        &self.script
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The memory that it held before its first invocation: the program, and the isolate with the script in it.
    pub fn memory_from(&self) -> Memory {
        self.memory_from
    }

    pub fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Whether it has not ended. Asking its socket takes no time: the kernel answers.
    pub fn is_there(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.folder.0.join(INBOUND)).is_ok()
    }

    /// Fails when the process has ended.
    pub async fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(self.folder.0.join(INBOUND)).await
    }
}

#[derive(Debug)]
struct OwnFolder(PathBuf);

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder.
        let _left = fs::remove_dir_all(&self.0);
    }
}
