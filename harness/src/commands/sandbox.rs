//! The real dispatcher on this machine for a seller's own tenants: their directory, their scripts, and facilitator doubles that
//! move no real money. Whoever starts it is told in lines of JSON, on standard output, where it serves and what was settled.
//!
//! Surprising constraint: tenants' files are linked and not copied. So a file that is replaced is a deploy, as it is on the
//! platform.

use super::{
    CommandError,
    preparation::{make_run_dir, provide, runtime, setting_up},
};
use crate::{
    exit::Exit,
    live::{LiveOptions, Sellers},
    run::{self, RunError},
    serve::{self, Environment},
    setup,
    world::ports,
};
use clap::Parser;
use journal::Journal;
use reports::event::{Event, Transfer};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
};
use system::{
    clock::{Clock, SystemClock},
    interrupt::Interruption,
    output::{errln, outln},
};
use thiserror::Error;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// The number of facilitators that a settlement needs for a failover.
const FACILITATORS: usize = 2;
/// A script that has this beside it is served by the data sets' Worker.
const DATA: &str = "data.bin";

/// Serves tenants behind the real dispatcher, on this machine
#[derive(Debug, Parser)]
#[command(name = "402claw-dev", version)]
pub struct SandboxArgs {
    /// Directory of tenants, as the dispatcher reads it
    #[arg(long, value_name = "FILE")]
    pub directory: PathBuf,
    /// Folder with a folder for each tenant's script
    #[arg(long, value_name = "DIR")]
    pub scripts: PathBuf,
    /// Port of the dispatcher; a free one unless given
    #[arg(long)]
    pub port: Option<u16>,
}

#[derive(Debug, Error, miette::Diagnostic)]
pub enum SandboxError {
    #[error("reading the directory {path}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("{path} is no directory of tenants")]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("linking the scripts in {path}")]
    Scripts { path: PathBuf, source: io::Error },
}

/// Serves until Ctrl-C, or until a part of the world ends by itself.
pub fn sandbox(args: &SandboxArgs) -> Result<Exit, CommandError> {
    if let Some(port) = args.port {
        ports::check(port).map_err(|source| serve::OptionsError::Taken { port, source })?;
    }
    let directory = directory(&args.directory)?;
    let runtime = runtime()?;
    let (tools, _) = runtime.block_on(provide())?;
    let worker = runtime.block_on(setting_up(|root, progress, cancelled| {
        let toolchain = setup::ensure(root, progress, cancelled)?;
        setup::build_dataset_worker(&toolchain, root, progress, cancelled)
    }))?;
    let run_dir = make_run_dir(None, "dev")?;
    let scripts = run_dir.path().join("scripts");
    link(&args.scripts, &scripts, &[&worker.index_js, &worker.wasm])?;
    let scenario = serve::world(&[], FACILITATORS, Environment::Test)?;
    let sellers = Sellers { directory, scripts };
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (journal, mut writer) = Journal::stream(&run_dir.events(), clock).map_err(RunError::Journal)?;
        let options = LiveOptions {
            tools: &tools,
            scenario: &scenario,
            seed: 0,
            run_dir: run_dir.path(),
            port: args.port,
            facilitator_ports: &[],
            facilitator_urls: &[],
            node_urls: &[],
            own_workers: false,
            sellers: Some(&sellers),
        };
        let mut interruption = Interruption::heed();
        let (live, mut deaths) = run::start_or_interrupted(&options, &journal).await?;
        let told = tokio::spawn(tell_settlements(journal.follow()));
        let served = match live.takes_its_configuration().await {
            Err(error) => Err(RunError::DidNotStart(error)),
            Ok(()) => {
                outln!(
                    "{}",
                    json!({"ready": {"url": live.urls[0], "platformToken": live.platform_token, "log": live.log}})
                );
                tokio::select! {
                    () = interruption.asked() => Ok(()),
                    death = deaths.first() => Err(RunError::Died(death)),
                    full = writer.failed() => Err(RunError::Journal(full)),
                }
            }
        };
        errln!("stopping");
        let stopped = live.stop().await;
        drop(journal);
        served?;
        writer.finish().await.map_err(RunError::Journal)?;
        stopped.map_err(RunError::DidNotStop)?;
        // Ends by itself, once there is nothing more to follow.
        told.await.map_err(|_| CommandError::Panicked)?;
        Ok(Exit::Pass)
    })
}

fn directory(path: &Path) -> Result<Value, SandboxError> {
    let text = fs::read_to_string(path).map_err(|source| SandboxError::Directory { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| SandboxError::Json { path: path.to_owned(), source })
}

/// A folder for each script, with links to its files, and to what all data sets share.
fn link(from: &Path, to: &Path, shared: &[&Path]) -> Result<(), SandboxError> {
    let failed = |source| SandboxError::Scripts { path: from.to_owned(), source };
    let from = fs::canonicalize(from).map_err(failed)?;
    for script in fs::read_dir(&from).map_err(failed)? {
        let script = script.map_err(failed)?;
        let folder = to.join(script.file_name());
        fs::create_dir_all(&folder).map_err(failed)?;
        for file in fs::read_dir(script.path()).map_err(failed)? {
            let file = file.map_err(failed)?;
            symlink(file.path(), folder.join(file.file_name())).map_err(failed)?;
        }
        if script.path().join(DATA).exists() {
            for path in shared {
                let name = path.file_name().unwrap_or_default();
                symlink(path, folder.join(name)).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Tells of each transfer once the dispatcher has said for which tenant it was, and at the end of those that it never named.
async fn tell_settlements(mut events: Receiver<Event>) {
    let mut moved: BTreeMap<String, Transfer> = BTreeMap::new();
    loop {
        match events.recv().await {
            Ok(Event::TransferMoved(transfer)) => {
                moved.insert(transfer.payment.clone(), transfer);
            }
            Ok(Event::DispatcherRequest(request)) => {
                let settled = request.payment.as_ref().filter(|_| request.transaction.is_some());
                if let Some(transfer) = settled.and_then(|payment| moved.remove(payment)) {
                    outln!("{}", settled_line(&transfer, request.tenant_id.as_deref()));
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => errln!("{missed} events were not looked at for settlements"),
            Err(RecvError::Closed) => break,
        }
    }
    moved.values().for_each(|transfer| outln!("{}", settled_line(transfer, None)));
}

fn settled_line(transfer: &Transfer, tenant: Option<&str>) -> Value {
    let Transfer { from, to, value, transaction, network, payment, .. } = transfer;
    json!({"settled": {
        "tenant": tenant, "payment": payment, "transaction": transaction, "payer": from, "payTo": to, "amount": value, "network": network,
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use system::folders::remove_if_there;

    #[test]
    fn a_file_that_is_replaced_is_a_deploy_because_it_is_linked() {
        let folder = std::env::temp_dir().join(format!("harness-sandbox-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("tenants/rain/entry.mjs", "one");
        write("tenants/rain/data.bin", "d");
        write("tenants/proxy/index.mjs", "p");
        write("built/index.js", "shared");
        let to = folder.join("run/scripts");
        link(&folder.join("tenants"), &to, &[&folder.join("built/index.js")]).unwrap();
        assert_eq!(fs::read(to.join("rain/index.js")).unwrap(), b"shared");
        assert!(!to.join("proxy/index.js").exists(), "it is no data set");
        write("tenants/rain/entry.mjs", "another");
        assert_eq!(fs::read(to.join("rain/entry.mjs")).unwrap(), b"another");
        remove_if_there(&folder).unwrap();
    }
}
