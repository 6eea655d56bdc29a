//! One `wrangler dev`: started quiet and offline, waited for, fed on by its lines, stopped. Surprising constraint: the
//! dispatcher's `console.log` passes through wrangler's own logger, which is silent about it below `WRANGLER_LOG=log`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::deaths::Watch;
use super::{ports, readiness};
use system::guard::{Files, Guard, GuardError, Guarded, GuardedCommand};

mod environment;
mod lines;
mod served;

use lines::Lines;

/// A start takes 1.5 s on an idle machine and was seen to take 11 s beside two builds.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at whether the dispatcher answers.
const POLL: Duration = Duration::from_millis(50);
/// Ports are picked before wrangler binds them; losing one twice in a row to somebody else is not chance any more.
const START_ATTEMPTS: u32 = 3;

/// The log's name in its folder of the run directory.
pub const LOG: &str = "wrangler.log";

#[derive(Clone, Debug)]
pub struct WranglerOptions {
    pub guard: Guard,
    pub watch: Watch,
    /// The name that a person knows it by.
    pub name: String,
    pub run_dir: PathBuf,
    /// The folder in which the wranglers of one world find each other.
    pub registry: PathBuf,
    pub node: PathBuf,
    pub wrangler_js: PathBuf,
    pub config: PathBuf,
    pub ready_path: String,
    pub port: Option<u16>,
}

#[derive(Debug)]
pub struct Wrangler {
    options: WranglerOptions,
    lines: mpsc::UnboundedSender<String>,
    running: Running,
}

#[derive(Debug)]
struct Running {
    port: u16,
    process: Guarded,
    output: Lines,
}

#[derive(Debug, thiserror::Error)]
pub enum WranglerError {
    #[error("finding free ports on loopback")]
    Ports(#[source] io::Error),
    #[error("port {port} on loopback is taken")]
    Taken { port: u16, source: io::Error },
    #[error("preparing wrangler's folders in the run directory")]
    Prepare(#[source] io::Error),
    #[error("opening wrangler's log in the run directory")]
    Log(#[source] io::Error),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error("wrangler dev ended before it was ready ({status}); its last lines:\n{tail}")]
    Exited { status: String, tail: String },
    #[error("wrangler dev was not ready within {} s; its last lines:\n{tail}", READY_LIMIT.as_secs())]
    NotReady { tail: String },
    #[error("wrangler dev serves {served} and not the port {port} that it was given")]
    WrongPort { port: u16, served: String },
}

impl Wrangler {
    pub async fn start(
        options: WranglerOptions,
        lines: mpsc::UnboundedSender<String>,
    ) -> Result<Wrangler, WranglerError> {
        if let Some(port) = options.port {
            ports::check(port).map_err(|source| WranglerError::Taken { port, source })?;
        }
        let mut attempt = 1;
        loop {
            match Running::start(&options, options.port, &lines).await {
                Ok(running) => return Ok(Wrangler { options, lines, running }),
                Err(error) if error.is_taken_port() && attempt < START_ATTEMPTS => {
                    tracing::warn!(attempt, why = %error, "the port was taken, and another is tried");
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub fn port(&self) -> u16 {
        self.running.port
    }

    /// SIGKILL to the whole tree.
    pub async fn kill(&mut self) -> Result<(), WranglerError> {
        self.running.process.kill().await?;
        self.running.output.ended().await;
        Ok(())
    }

    /// A new start on the same port and storage.
    pub async fn restart(&mut self) -> Result<(), WranglerError> {
        self.running = Running::start(&self.options, Some(self.running.port), &self.lines).await?;
        Ok(())
    }

    /// Comes back when every process is gone and every line was handed on.
    pub async fn stop(mut self) -> Result<(), GuardError> {
        self.running.process.stop().await?;
        self.running.output.ended().await;
        Ok(())
    }
}

impl Running {
    async fn start(
        options: &WranglerOptions,
        port: Option<u16>,
        lines: &mpsc::UnboundedSender<String>,
    ) -> Result<Running, WranglerError> {
        environment::prepare(&options.run_dir).map_err(WranglerError::Prepare)?;
        let [free, inspector] = ports::free().map_err(WranglerError::Ports)?;
        let port = port.unwrap_or(free);
        let command = command(options, port, inspector);
        tracing::debug!(name = options.name, program = ?command.program, args = ?command.args, "starting");
        let (process, output) = options.guard.spawn(&command)?;
        let (serves, served) = watch::channel(None);
        let log = options.run_dir.join(LOG);
        let output = Lines::follow(output, &log, lines.clone(), serves).map_err(WranglerError::Log)?;
        let mut running = Running { port, process, output };
        match timeout(READY_LIMIT, running.ready(served, &options.ready_path)).await {
            Ok(Ok(())) => {
                tracing::info!(name = options.name, port, "answers");
                options.watch.over(&options.name, &running.process, &log);
                options.watch.over_runtimes(&options.name, &running.process, &log);
                Ok(running)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(WranglerError::NotReady { tail: running.output.tail() }),
        }
    }

    async fn ready(&mut self, mut served: watch::Receiver<Option<String>>, path: &str) -> Result<(), WranglerError> {
        let port = self.port;
        let answering = async {
            // wrangler's own word first: somebody else may be answering on a port that it did not get.
            match served.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(url)) if url.ends_with(&format!(":{port}")) => {}
                Ok(Some(url)) => return Err(WranglerError::WrongPort { port, served: url.clone() }),
                // The output ended: the exit, which the other branch sees, says why.
                Ok(None) | Err(_) => std::future::pending().await,
            }
            while !readiness::answers(port, path).await {
                sleep(POLL).await;
            }
            Ok(())
        };
        tokio::select! {
            ready = answering => ready,
            status = self.process.wait_exit() => {
                let status = status?.to_string();
                self.output.ended().await;
                Err(WranglerError::Exited { status, tail: self.output.tail() })
            }
        }
    }
}

impl WranglerError {
    /// Whether other ports might do.
    fn is_taken_port(&self) -> bool {
        match self {
            WranglerError::WrongPort { .. } => true,
            WranglerError::Exited { tail, .. } | WranglerError::NotReady { tail } => {
                ["Address already in use", "EADDRINUSE", "already in use"].iter().any(|sign| tail.contains(sign))
            }
            WranglerError::Ports(_)
            | WranglerError::Taken { .. }
            | WranglerError::Prepare(_)
            | WranglerError::Log(_)
            | WranglerError::Guard(_) => false,
        }
    }
}

fn command(options: &WranglerOptions, port: u16, inspector: u16) -> GuardedCommand {
    let args: Vec<OsString> = vec![
        options.wrangler_js.clone().into(),
        "dev".into(),
        "--config".into(),
        options.config.clone().into(),
        "--ip".into(),
        "127.0.0.1".into(),
        "--port".into(),
        port.to_string().into(),
        "--inspector-port".into(),
        inspector.to_string().into(),
        "--show-interactive-dev-session=false".into(),
        "--persist-to".into(),
        options.run_dir.join("storage").into(),
    ];
    GuardedCommand {
        program: options.node.clone(),
        args,
        env: environment::quiet_and_offline(&options.node, &options.run_dir, &options.registry),
        cwd: options.run_dir.clone(),
        files: Files::Private,
    }
}
