//! The world's dispatch namespace: tenant doubles in a folder, and the namespace that enforces (`namespace/`) over it, as a
//! process of its own. It is apart from the harness so that its watcher need not wait for the harness's own work, and so
//! that one guard ends all tenants.
//!
//! Surprising constraint: it outlives the dispatchers that it serves, as the platform does: a crash of theirs ends no tenant.

use super::{TenantDouble, WorldError, deaths::Watch, tail::tail};
use namespace::{Policy, SUBCOMMAND, write_plugin};
use serde::Deserialize;
use serde_json::json;
use std::{
    ffi::OsString,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use system::folders::{private_log, write_private};
use system::guard::{Files, Guard, GuardError, Guarded, GuardedCommand};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::ChildStdout,
    task::JoinSet,
    time::timeout,
};

/// The tenants' script. A deploy is a change of its file in the run directory.
pub const TENANT: &str = include_str!("../../assets/namespace/tenant.mjs");
const TENANT_FILE: &str = "tenant.mjs";
/// With a process for each tenant it takes 0.2 s, and a hundred times that beside a build.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Its log, in the run directory.
pub const LOG: &str = "namespace.log";

#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    #[error("writing the plugin to {folder}")]
    Plugin { folder: PathBuf, source: io::Error },
    #[error("opening {path} in the run directory")]
    Log { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error("the dispatch namespace ended before it was ready; its last lines:\n{tail}")]
    Exited { tail: String },
    #[error("the dispatch namespace was not ready within {} s; its last lines:\n{tail}", READY_LIMIT.as_secs())]
    NotReady { tail: String },
    #[error("the dispatch namespace said what is no address: {said}")]
    NoAddress { said: String, source: serde_json::Error },
}

#[derive(Debug)]
pub struct NamespaceOptions<'a> {
    pub guard: Guard,
    pub watch: &'a Watch,
    /// Absolute.
    pub run_dir: &'a Path,
    pub workerd: &'a Path,
    pub tenants: &'a [TenantDouble],
    /// Scripts in their place.
    pub scripts: Option<&'a Path>,
    /// The double that answers for the outside.
    pub outbound: &'a Policy,
    /// The URL to which it reports dispatches and their ends.
    pub report_to: String,
}

#[derive(Debug)]
pub struct NamespaceProcess {
    binding: Binding,
    process: Guarded,
    log: JoinSet<()>,
}

/// Its entry in a dispatcher's configuration.
#[derive(Clone, Debug)]
pub struct Binding {
    pub plugin: PathBuf,
    pub address: SocketAddr,
}

/// The first line that it prints.
#[derive(Deserialize)]
struct Ready {
    address: SocketAddr,
}

impl NamespaceProcess {
    /// Comes back when every tenant has a warm process.
    pub async fn start(options: NamespaceOptions<'_>) -> Result<NamespaceProcess, WorldError> {
        let folder = options.run_dir.join("namespace");
        let tenants = match options.scripts {
            Some(scripts) => scripts.to_owned(),
            None => {
                let tenants = folder.join("tenants");
                write_tenants(&tenants, options.tenants)?;
                tenants
            }
        };
        let plugins = folder.join("plugin");
        let plugin = write_plugin(&plugins).map_err(|source| NamespaceError::Plugin { folder: plugins, source })?;
        let args = [
            SUBCOMMAND.into(),
            "--workerd".into(),
            options.workerd.into(),
            "--tenants".into(),
            tenants.into_os_string(),
            "--port".into(),
            "0".into(),
            "--outbound".into(),
            options.outbound.to_string().into(),
            "--report-to".into(),
            OsString::from(options.report_to),
        ];
        let command = GuardedCommand {
            // The guard is this program too.
            program: PathBuf::from("/proc/self/exe"),
            args: args.into(),
            env: Vec::new(),
            cwd: options.run_dir.to_owned(),
            files: Files::Private,
        };
        let (mut process, output) = options.guard.spawn(&command).map_err(NamespaceError::from)?;
        let path = options.run_dir.join(LOG);
        let failed = |source| NamespaceError::Log { path: path.clone(), source };
        let file = private_log(&path).map_err(failed)?;
        let mut log = JoinSet::new();
        let (mut said, mut to) = (output.stderr, tokio::fs::File::from_std(file));
        // A pipe that cannot be read any more has ended, and a full disk must not end the run.
        log.spawn(async move { drop(tokio::io::copy(&mut said, &mut to).await) });
        match timeout(READY_LIMIT, first_line(output.stdout)).await {
            Ok(Some(line)) => {
                let Ready { address } = serde_json::from_str(&line)
                    .map_err(|source| NamespaceError::NoAddress { said: line.clone(), source })?;
                options.watch.over("the dispatch namespace", &process, &path);
                Ok(NamespaceProcess { binding: Binding { plugin, address }, process, log })
            }
            Ok(None) => {
                process.stop().await.map_err(NamespaceError::from)?;
                while log.join_next().await.is_some() {}
                Err(NamespaceError::Exited { tail: tail(&path) }.into())
            }
            Err(_) => Err(NamespaceError::NotReady { tail: tail(&path) }.into()),
        }
    }

    pub fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Comes back when every process is gone and every invocation was reported.
    pub async fn stop(mut self) -> Result<(), GuardError> {
        self.process.stop().await?;
        while self.log.join_next().await.is_some() {}
        Ok(())
    }
}

async fn first_line(stdout: ChildStdout) -> Option<String> {
    // It prints nothing afterwards: the pipe's end may go.
    BufReader::new(stdout).lines().next_line().await.ok().flatten()
}

fn write_tenants(folder: &Path, tenants: &[TenantDouble]) -> Result<(), WorldError> {
    for TenantDouble { script, canary } in tenants {
        let settings = json!({ "main": TENANT_FILE, "vars": { "SCRIPT": script, "CANARY": canary } });
        let folder = folder.join(script);
        write(&folder.join(TENANT_FILE), TENANT)?;
        write(&folder.join("tenant.json"), &settings.to_string())?;
    }
    Ok(())
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), WorldError> {
    write_private(path, text).map_err(|source| WorldError::Write { path: path.to_path_buf(), source })
}
