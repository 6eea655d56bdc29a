//! The official facilitators of a world: one Node process (`assets/official-facilitator`) with the library once for each, on
//! one chain of paper. It is apart from the harness because nobody here wrote what runs in it.

use super::tail::tail;
use facts::official::SLOW_ACCOUNT;
use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use system::guard::{Files, Guard, GuardError, Guarded, GuardedCommand, Output};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    task::JoinSet,
    time::timeout,
};
use x402_protocol::Network;

/// A start takes 0.3 s on an idle machine, and a hundred times that beside a build.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// From a transaction's sending to its receipt.
const RECEIPT: Duration = Duration::from_millis(200);
const READY: &str = "ready ";
const LOG: &str = "official-facilitator.log";

const SLOW_CHECK: Duration = Duration::from_secs(6);

#[derive(Debug, thiserror::Error)]
pub enum OfficialError {
    #[error("opening {path} in the run directory")]
    Log { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error("the official facilitator was not set up for this run")]
    NotSetUp,
    #[error("the official facilitator ended before it was ready; its last lines:\n{tail}")]
    Exited { tail: String },
    #[error("the official facilitator was not ready within {} s; its last lines:\n{tail}", READY_LIMIT.as_secs())]
    NotReady { tail: String },
}

#[derive(Debug)]
pub struct OfficialOptions<'a> {
    pub guard: Guard,
    /// Absolute.
    pub run_dir: &'a Path,
    pub node: &'a Path,
    /// The bundled server.
    pub server_mjs: &'a Path,
    pub facilitators: Vec<String>,
    pub network: Network,
}

#[derive(Debug)]
pub struct OfficialFacilitators {
    url: String,
    process: Guarded,
    log: JoinSet<()>,
}

impl OfficialFacilitators {
    /// Comes back when they answer.
    pub async fn start(options: OfficialOptions<'_>) -> Result<Self, OfficialError> {
        let path = options.run_dir.join(LOG);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|source| OfficialError::Log { path: path.clone(), source })?;
        let command = GuardedCommand {
            program: options.node.to_owned(),
            args: arguments(&options),
            env: Vec::new(),
            cwd: options.run_dir.to_owned(),
            files: Files::Private,
        };
        let (mut process, Output { stdout, stderr }) = options.guard.spawn(&command)?;
        let mut log = JoinSet::new();
        let (mut said, mut to) = (stderr, tokio::fs::File::from_std(file));
        // A pipe that cannot be read any more has ended, and a full disk must not end the run.
        log.spawn(async move { drop(tokio::io::copy(&mut said, &mut to).await) });
        let mut lines = BufReader::new(stdout).lines();
        let port = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(port) = line.strip_prefix(READY) {
                    return Some(port.to_owned());
                }
            }
            None
        };
        match timeout(READY_LIMIT, port).await {
            Ok(Some(port)) => {
                // What it still prints is nobody's to read, and a pipe that nobody reads would stop it.
                log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(Self { url: format!("http://127.0.0.1:{port}"), process, log })
            }
            Ok(None) => {
                process.stop().await?;
                while log.join_next().await.is_some() {}
                Err(OfficialError::Exited { tail: tail(&path) })
            }
            Err(_) => Err(OfficialError::NotReady { tail: tail(&path) }),
        }
    }

    /// The address of all of them, and of their chain.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn stop(mut self) -> Result<(), OfficialError> {
        self.process.stop().await?;
        while self.log.join_next().await.is_some() {}
        Ok(())
    }
}

fn arguments(options: &OfficialOptions<'_>) -> Vec<OsString> {
    let token = options.network.usdc();
    let mut arguments = vec![options.server_mjs.as_os_str().to_owned()];
    let mut option = |name: &str, value: String| arguments.extend([format!("--{name}").into(), value.into()]);
    option("chain", options.network.chain_id().to_string());
    option("asset", token.address.to_string());
    option("name", token.domain_name.to_owned());
    option("version", token.domain_version.to_owned());
    option("receipt-ms", RECEIPT.as_millis().to_string());
    option("code", format!("{SLOW_ACCOUNT}=slow:{}", SLOW_CHECK.as_millis()));
    for name in &options.facilitators {
        option("facilitator", name.clone());
    }
    arguments
}
