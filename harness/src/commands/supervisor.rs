//! `harness namespace`: the command that is typed starts itself again under the process guard, and that second process is
//! the supervisor. Surprising constraint: tenant processes are then killed with the supervisor even when the command that
//! was typed dies by SIGKILL, and none of them needs a guard of its own.

use crate::{
    cli::{NamespaceArgs, NamespaceTask, SuperviseArgs},
    exit::Exit,
    setup::NamespaceTools,
};
use namespace::{
    CalibrateError, Memory, Options, Policy, ReportError, Reporter, SUBCOMMAND, Scratch, StartError, Supervisor, Told,
    calibrate, write_plugin, write_scripts,
};
use serde_json::json;
use std::{
    ffi::OsString,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use system::{
    guard::{Files, Guard, GuardError, GuardedCommand},
    interrupt::Interruption,
    output::{self, errln, out, outln},
};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc::UnboundedReceiver,
};

/// The variables of the environment that reach the supervisor; the tenants get none of it.
const KEPT_ENVIRONMENT: [&str; 4] = ["TMPDIR", "NO_COLOR", "TERM", "CLICOLOR"];

#[derive(Debug, Error, miette::Diagnostic)]
pub enum NamespaceError {
    #[error("the namespace's processes cannot be guarded")]
    Guard(#[from] GuardError),
    #[error("the working directory cannot be read")]
    WorkingDirectory(#[source] io::Error),
    #[error(transparent)]
    #[diagnostic(help("`--port` takes another port, or 0 for any free one; `--tenants` a folder that is there"))]
    Start(#[from] StartError),
    #[error("writing the plugin to {folder}")]
    Plugin { folder: PathBuf, source: io::Error },
    #[error("making a temporary folder for the processes")]
    Scratch(#[source] io::Error),
    #[error(transparent)]
    Calibrate(#[from] CalibrateError),
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl NamespaceError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Start(_) => Exit::DidNotStart,
            Self::Guard(_)
            | Self::WorkingDirectory(_)
            | Self::Plugin { .. }
            | Self::Scratch(_)
            | Self::Calibrate(_)
            | Self::Report(_) => Exit::Internal,
        }
    }
}

/// Runs the supervisor under the guard until it ends or Ctrl-C.
pub async fn guarded(args: &NamespaceArgs, tools: &NamespaceTools) -> Result<Exit, NamespaceError> {
    let command = GuardedCommand {
        // The guard is this program too.
        program: PathBuf::from("/proc/self/exe"),
        args: supervisor_args(args, tools),
        env: KEPT_ENVIRONMENT.iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?))).collect(),
        cwd: std::env::current_dir().map_err(NamespaceError::WorkingDirectory)?,
        files: Files::AsUsual,
    };
    let mut interruption = Interruption::heed();
    let (mut supervisor, mut output) = Guard::this_program().spawn(&command)?;
    let shown = tokio::spawn(async move {
        tokio::join!(pass_on(&mut output.stdout, tokio::io::stdout()), pass_on(&mut output.stderr, tokio::io::stderr()))
    });
    let status = tokio::select! {
        status = supervisor.wait_exit() => Some(status?),
        () = interruption.asked() => None,
    };
    let exit = match status {
        Some(status) => {
            let exit = Exit::of_status(status);
            if exit == Exit::Internal {
                errln!("the namespace's supervisor ended by itself ({status})");
            }
            exit
        }
        None => {
            supervisor.stop().await?;
            match args.task() {
                NamespaceTask::Serve => Exit::Pass,
                NamespaceTask::Calibrate => Exit::Interrupted,
            }
        }
    };
    // Ended with the supervisor's streams; a panic in it is told by the runtime.
    if let Ok((Err(error), _)) = shown.await {
        output::note(error);
    }
    Ok(exit)
}

/// Goes on reading when nothing can be written any more: a supervisor whose output nobody takes would stand still.
async fn pass_on(from: &mut (impl AsyncRead + Unpin), mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let passed = tokio::io::copy(from, &mut to).await;
    if passed.is_err() {
        tokio::io::copy(from, &mut tokio::io::sink()).await?;
    }
    passed.map(drop)
}

fn supervisor_args(args: &NamespaceArgs, tools: &NamespaceTools) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![SUBCOMMAND.into(), "--workerd".into(), tools.workerd.clone().into()];
    words.extend(["--plugin-dir".into(), args.plugin_dir.clone().unwrap_or(tools.plugin.clone()).into()]);
    words.extend(["--port".into(), args.port.to_string().into()]);
    words.extend(["--outbound".into(), args.outbound.to_string().into()]);
    words.extend(["--memory-mb".into(), args.memory_mb.to_string().into()]);
    words.extend(args.print.is_json().then(|| "--format=json".into()));
    match &args.tenants {
        Some(tenants) => words.extend(["--tenants".into(), tenants.clone().into()]),
        None => words.push("--calibrate".into()),
    }
    words
}

/// The task of the guarded process.
pub async fn supervise(supervise: &SuperviseArgs) -> Result<Exit, NamespaceError> {
    let SuperviseArgs { args, workerd, report_to } = supervise;
    let scratch = Scratch::make().map_err(NamespaceError::Scratch)?;
    let processes = scratch.folder("p").map_err(NamespaceError::Scratch)?;
    let options = |tenants: PathBuf, port| Options {
        tenants,
        port,
        policy: args.outbound.clone(),
        memory: Memory::megabytes(args.memory_mb),
        workerd: workerd.clone(),
        scratch: processes.clone(),
    };
    match &args.tenants {
        Some(tenants) => match report_to {
            None => serve(args, options(tenants.clone(), args.port)).await,
            Some(url) => report(Reporter::new(url.clone())?, options(tenants.clone(), args.port)).await,
        },
        None => {
            let tenants = scratch.folder("tenants").map_err(NamespaceError::Scratch)?;
            write_scripts(&tenants).map_err(NamespaceError::Scratch)?;
            calibration(args, options(tenants, 0)).await
        }
    }
}

async fn serve(args: &NamespaceArgs, options: Options) -> Result<Exit, NamespaceError> {
    let folder = args.plugin_dir.clone().unwrap_or_else(|| options.scratch.join("plugin"));
    let plugin = write_plugin(&folder).map_err(|source| NamespaceError::Plugin { folder, source })?;
    let policy = options.policy.clone();
    let (supervisor, records) = Supervisor::start(options).await?;
    let address = supervisor.address();
    supervisor.tell_unreadable();
    if args.print.is_json() {
        outln!("{}", json!({ "address": address, "plugin": plugin, "scripts": supervisor.scripts() }));
    } else {
        announce(&supervisor, &plugin, &policy);
    }
    // The guard and the one who started it may both ask: the second must not keep the folders from being removed.
    let mut interruption = Interruption::heed_twice();
    tokio::select! {
        () = show(records, args) => {}
        () = interruption.asked() => {}
    }
    supervisor.stop().await;
    Ok(Exit::Pass)
}

async fn show(mut records: UnboundedReceiver<Told>, args: &NamespaceArgs) {
    while let Some(told) = records.recv().await {
        if let Told::Ended(record) = told {
            outln!("{}", if args.print.is_json() { record.json() } else { record.line() });
        }
    }
}

/// For a harness: says where it listens once every tenant is warm, and reports everything else.
async fn report(reporter: Reporter, options: Options) -> Result<Exit, NamespaceError> {
    let mut interruption = Interruption::heed_twice();
    let (supervisor, mut records) = Supervisor::start(options).await?;
    supervisor.warm().await;
    outln!("{}", json!({ "address": supervisor.address() }));
    tokio::select! {
        ended = reporter.pass_on(&mut records) => ended?,
        () = interruption.asked() => {}
    }
    supervisor.stop().await;
    // What was told up to now, and nothing that background work may still tell.
    records.close();
    reporter.pass_on(&mut records).await?;
    Ok(Exit::Pass)
}

fn announce(supervisor: &Supervisor, plugin: &Path, policy: &Policy) {
    let address: SocketAddr = supervisor.address();
    let scripts = supervisor.scripts();
    let first = scripts.first().map_or("<name>", String::as_str);
    outln!("namespace     http://{address}");
    outln!("scripts       {}", if scripts.is_empty() { "none yet".to_owned() } else { scripts.join(", ") });
    outln!("outbound      {policy}");
    outln!(
        "\nFor `wrangler dev`: this in place of `dispatch_namespaces`, under the name of your binding.\nIt names a folder of this machine, so do not commit it.\n"
    );
    outln!("{}\n", namespace::snippet(plugin, address));
    outln!(
        "try           curl -i http://{address}/ -H 'x-namespace-dispatch: {{\"script\":\"{first}\",\"limits\":{{\"cpuMs\":50,\"subRequests\":5}}}}'"
    );
    outln!("ready; deploys are noticed; stops at Ctrl-C");
}

async fn calibration(args: &NamespaceArgs, options: Options) -> Result<Exit, NamespaceError> {
    let (supervisor, records) = Supervisor::start(options).await?;
    // Whoever does not listen must say so: dispatches wait for a listener.
    drop(records);
    let mut interruption = Interruption::heed_twice();
    let calibration = tokio::select! {
        calibration = calibrate(&supervisor, |what| errln!("{what}")) => calibration?,
        () = interruption.asked() => return Ok(Exit::Interrupted),
    };
    supervisor.stop().await;
    if args.print.is_json() {
        outln!("{:#}", json!(calibration));
    } else {
        out!("{}", calibration.render());
    }
    Ok(if calibration.holds() { Exit::Pass } else { Exit::RuleBroken })
}
