//! One `workerd serve`: the runtime without wrangler around it, which costs a request a millisecond and a half and hides
//! what a Worker costs. Surprising constraint: it has no plugins, so what Miniflare would generate is written here as
//! the runtime's own configuration.

use super::{deaths::Watch, ports, readiness, tail::tail};
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use system::folders::{private_log, write_private};
use system::guard::{Files, Guard, GuardError, Guarded, GuardedCommand, Output};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

mod bare;
mod capnp;
mod cpu;
mod dispatcher;
mod local_namespace;
mod module;
mod outbound;
mod production;
mod storage;

pub use bare::BareDispatcher;
pub use dispatcher::DispatcherWorker;
pub use local_namespace::{LocalNamespace, Recording};
pub use module::{DurableObject, ModuleWorker};
pub use outbound::OutboundWorker;
pub use production::{Production, ProductionError};

/// A start takes 40 ms on an idle machine.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at whether the Worker answers.
const POLL: Duration = Duration::from_millis(10);

const CONFIG: &str = "config.capnp";
const LOG: &str = "workerd.log";

/// A Worker, as `workerd serve` is told of it.
pub trait Hosted {
    /// Writes the Worker's files into `dir` and gives the services, extensions and so on of its configuration. The
    /// service `main` gets the requests.
    fn lay_out(&self, dir: &Path) -> Result<Layout, WorkerdError>;
}

/// The text that a [`Hosted`] adds to a configuration, as capnp text.
#[derive(Debug)]
pub struct Layout {
    pub services: Vec<String>,
    pub extensions: Vec<String>,
    pub socket: SocketStyle,
}

/// How requests are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketStyle {
    /// By `Host`, as a server is asked.
    Host,
    /// In absolute form, as a proxy is asked.
    Proxy,
}

#[derive(Clone, Debug)]
pub struct WorkerdOptions {
    pub guard: Guard,
    pub workerd: PathBuf,
    /// Absolute. Everything that is written goes here.
    pub dir: PathBuf,
    pub v8_flags: Vec<String>,
    /// Asked until it answers anything at all.
    pub ready_path: String,
}

#[derive(Debug)]
pub struct Workerd {
    pub url: String,
    pub port: u16,
    pid: Option<u32>,
    process: Guarded,
    log: PathBuf,
    output: JoinSet<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkerdError {
    #[error("finding a free port on loopback")]
    Ports(#[source] io::Error),
    #[error("writing {path} for workerd")]
    Write { path: PathBuf, source: io::Error },
    #[error("reading {path} for workerd")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Production(#[from] ProductionError),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error("workerd ended before it was ready ({status}); its last lines:\n{tail}")]
    Exited { status: String, tail: String },
    #[error("workerd was not ready within {} s; its last lines:\n{tail}", READY_LIMIT.as_secs())]
    NotReady { tail: String },
}

impl Workerd {
    pub async fn start(hosted: &impl Hosted, options: &WorkerdOptions) -> Result<Self, WorkerdError> {
        let [port] = ports::free().map_err(WorkerdError::Ports)?;
        let layout = hosted.lay_out(&options.dir)?;
        let config = options.dir.join(CONFIG);
        write(&config, &capnp::config(&layout, &options.v8_flags, port))?;
        let (mut process, output) = options.guard.spawn(&GuardedCommand {
            program: options.workerd.clone(),
            args: ["serve".into(), OsString::from(&config)].to_vec(),
            env: Vec::new(),
            cwd: options.dir.clone(),
            files: Files::Private,
        })?;
        let log = options.dir.join(LOG);
        let mut output = follow(output, &log)?;
        let answering = async {
            while !readiness::answers(port, &options.ready_path).await {
                sleep(POLL).await;
            }
        };
        tokio::select! {
            ready = timeout(READY_LIMIT, answering) => {
                ready.map_err(|_| WorkerdError::NotReady { tail: tail(&log) })?;
            }
            status = process.wait_exit() => {
                let status = status?.to_string();
                while output.join_next().await.is_some() {}
                return Err(WorkerdError::Exited { status, tail: tail(&log) });
            }
        }
        let pid = cpu::process_of(&options.workerd, &config);
        Ok(Self { pid, url: format!("http://127.0.0.1:{port}"), port, process, log, output })
    }

    /// Has its end told, unless that is asked for.
    pub fn watched(&self, part: &str, watch: &Watch) {
        watch.over(part, &self.process, &self.log);
    }

    /// The runtime's own process, where the system tells.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The CPU time it has used so far, where the system tells.
    pub fn cpu_used(&self) -> Option<Duration> {
        cpu::used(self.pid?)
    }

    /// Comes back when every process is gone and everything they printed is in the log.
    pub async fn stop(mut self) -> Result<(), WorkerdError> {
        self.process.stop().await?;
        while self.output.join_next().await.is_some() {}
        Ok(())
    }
}

/// In large pieces and not line by line: the Worker under measurement prints a line a request.
fn follow(output: Output, log: &Path) -> Result<JoinSet<()>, WorkerdError> {
    let failed = |source| WorkerdError::Write { path: log.to_path_buf(), source };
    let stdout = private_log(log).map_err(failed)?;
    let stderr = stdout.try_clone().map_err(failed)?;
    let mut copies = JoinSet::new();
    let (mut from, mut to) = (output.stdout, tokio::fs::File::from_std(stdout));
    // A pipe that cannot be read any more has ended, and a full disk must not end the run.
    copies.spawn(async move { drop(tokio::io::copy(&mut from, &mut to).await) });
    let (mut from, mut to) = (output.stderr, tokio::fs::File::from_std(stderr));
    copies.spawn(async move { drop(tokio::io::copy(&mut from, &mut to).await) });
    Ok(copies)
}

fn write(path: &Path, text: &str) -> Result<(), WorkerdError> {
    write_private(path, text).map_err(|source| WorkerdError::Write { path: path.to_path_buf(), source })
}

fn copy(from: &Path, to: &Path) -> Result<(), WorkerdError> {
    let bytes = std::fs::read(from).map_err(|source| WorkerdError::Read { path: from.to_path_buf(), source })?;
    write_private(to, bytes).map_err(|source| WorkerdError::Write { path: to.to_path_buf(), source })
}
