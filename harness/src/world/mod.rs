//! The live world around a dispatcher bundle: `wrangler dev`, the dispatch namespace, the tenant doubles and what they tell
//! the harness. Surprising constraint: nothing of it may outlive the harness, however that ends, so every process stands
//! under a guard (`guard.rs`) and every file lies in the run directory.

mod bundle;
pub mod config;
pub mod deaths;

pub mod internet;
pub mod kv_double;
pub mod location_double;
mod loopback;
pub mod namespace;
pub mod official;
pub(crate) mod ports;
mod readiness;
pub mod recorder;
mod runtimes;
pub(crate) mod tail;
mod telemetry;
pub mod test_offer;
pub mod workerd;
pub mod wrangler;

use ::namespace::{Policy, Report};
use bundle::BundleError;
use config::{ConfigError, Doubles, PluginAt, Seat};
use deaths::Watch;
use namespace::{NamespaceError, NamespaceOptions, NamespaceProcess};
use recorder::{OnReport, Recorder};
use std::{collections::BTreeMap, fs, io, net::SocketAddr, path::PathBuf};
use system::{
    folders::remove_if_there,
    guard::{Guard, GuardError},
};
use tokio::sync::mpsc;
use wrangler::{Wrangler, WranglerError, WranglerOptions};

/// Folders in the run directory that only a running world needs: wrangler's and the dispatcher's state, and the copy of the
/// bundle. More than ten megabytes a run.
pub const SCRATCH: [&str; 9] = [
    "bundle",
    telemetry::BUNDLE,
    "home",
    REGISTRY,
    "storage",
    "tmp",
    "dispatcher-2/home",
    "dispatcher-2/storage",
    "dispatcher-2/tmp",
];

/// The folder's name by which the wranglers of one world find each other.
const REGISTRY: &str = "registry";

/// A Worker of a seller, as the namespace runs it.
#[derive(Clone, Debug)]
pub struct TenantDouble {
    /// Name of the script in the namespace.
    pub script: String,
    /// A random token that only this tenant's answers carry.
    pub canary: String,
}

#[derive(Clone, Debug)]
pub struct WorldOptions {
    pub guard: Guard,
    /// Told of every part that ends by itself once it was ready.
    pub watch: Watch,
    /// Absolute. Everything the world writes goes here.
    pub run_dir: PathBuf,
    pub node: PathBuf,
    pub wrangler_js: PathBuf,
    pub workerd: PathBuf,
    /// Entry of the built dispatcher. Its whole folder is copied, and nothing else belongs in that.
    pub bundle_index_js: PathBuf,
    /// The production config, from which the world's own is made.
    pub wrangler_jsonc: PathBuf,
    /// Entry of the telemetry Worker. `None`: events are in the log alone.
    pub telemetry_index_js: Option<PathBuf>,
    /// Variables that it has beside those of its configuration.
    pub telemetry_vars: BTreeMap<String, String>,
    pub vars: BTreeMap<String, String>,
    /// Variables whose values no log may show.
    pub secrets: BTreeMap<String, String>,
    pub tenants: Vec<TenantDouble>,
    /// A folder of scripts in place of the doubles.
    pub scripts: Option<PathBuf>,
    /// The double that answers for the outside: where an outbound Worker comes in.
    pub outbound: Policy,
    /// The store that the tenant directory is read from; `None`: Miniflare's own, which is empty.
    pub directory: Option<SocketAddr>,
    /// The counter of rates; `None`: Miniflare's own counters, which are one process's.
    pub location: Option<SocketAddr>,
    /// A random token, without which nobody can report a tenant run.
    pub recorder_token: String,
    /// Path at the dispatcher that is asked until it answers anything at all.
    pub ready_path: String,
    /// Port of the first dispatcher; a free one where absent.
    pub port: Option<u16>,
    /// How many dispatchers share the Durable Objects, as isolates do in production; at least one.
    pub dispatchers: usize,
}

/// Every line that wrangler and the dispatcher print. The dispatcher's telemetry are those that are JSON objects. Ends when
/// the world is stopped and everything was received.
pub type LogLines = mpsc::UnboundedReceiver<String>;

#[derive(Debug)]
pub struct World {
    /// One address for each dispatcher; never empty.
    pub urls: Vec<String>,
    dispatchers: Vec<Wrangler>,
    /// The configuration of each.
    configs: Vec<PathBuf>,
    registry: PathBuf,
    namespace: NamespaceProcess,
    recorder: Recorder,
}

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("reading the dispatcher's production config {path}")]
    ReadConfig { path: PathBuf, source: io::Error },
    #[error("writing {path} in the run directory")]
    Write { path: PathBuf, source: io::Error },
    #[error("reading {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("listening for tenant runs on loopback")]
    Recorder(#[source] io::Error),
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    #[error(transparent)]
    Wrangler(#[from] WranglerError),
    #[error("stopping wrangler dev")]
    Stop(#[source] GuardError),
    #[error("stopping the dispatch namespace")]
    StopNamespace(#[source] GuardError),
}

impl World {
    /// `told` is called with each dispatch, before the tenant's answer goes on, and with each end of one.
    pub async fn start(options: WorldOptions, told: OnReport<Report>) -> Result<(World, LogLines), WorldError> {
        let production = std::fs::read_to_string(&options.wrangler_jsonc)
            .map_err(|source| WorldError::ReadConfig { path: options.wrangler_jsonc.clone(), source })?;
        let bundle = bundle::copy(&options.bundle_index_js, &options.run_dir.join("bundle"))?;
        let recorder = Recorder::listen(&options.recorder_token, told).await.map_err(WorldError::Recorder)?;
        let namespace = NamespaceProcess::start(NamespaceOptions {
            guard: options.guard.clone(),
            watch: &options.watch,
            run_dir: &options.run_dir,
            workerd: &options.workerd,
            tenants: &options.tenants,
            scripts: options.scripts.as_deref(),
            outbound: &options.outbound,
            report_to: format!("http://{}{}", recorder.address(), recorder.path()),
        })
        .await?;
        tracing::info!(tenants = options.tenants.len(), "the dispatch namespace serves");
        let directory = match options.directory {
            None => None,
            Some(address) => Some(PluginAt { plugin: kv_double::write_plugin(&options.run_dir)?, address }),
        };
        let location = match options.location {
            None => None,
            Some(address) => Some(PluginAt { plugin: location_double::write_plugin(&options.run_dir)?, address }),
        };
        let beside = match &options.telemetry_index_js {
            None => Vec::new(),
            Some(index_js) => {
                vec![telemetry::lay_out(index_js, &options.wrangler_jsonc, &options.run_dir, &options.telemetry_vars)?]
            }
        };
        let registry = options.run_dir.join(REGISTRY);
        let (lines, logs) = mpsc::unbounded_channel();
        let mut dispatchers: Vec<Wrangler> = Vec::new();
        let mut configs = Vec::new();
        for number in 1..=options.dispatchers {
            let seat = Seat { number, of: options.dispatchers };
            let (namespace, directory, location) = (namespace.binding(), directory.as_ref(), location.as_ref());
            let doubles = Doubles { namespace, directory, location };
            let dev = config::dev_config(&production, &bundle, &options.vars, doubles, seat)?;
            let (folder, port) = match number {
                1 => (options.run_dir.clone(), options.port),
                _ => (options.run_dir.join(format!("dispatcher-{number}")), None),
            };
            let config = folder.join("wrangler.dev.json");
            namespace::write(&config, &format!("{dev:#}\n"))?;
            namespace::write(&folder.join(config::SECRETS_FILE), &config::secrets_file(&options.secrets))?;
            configs.push(config.clone());
            let options = WranglerOptions {
                guard: options.guard.clone(),
                watch: options.watch.clone(),
                name: match options.dispatchers {
                    1 => "wrangler dev".to_owned(),
                    _ => format!("wrangler dev of dispatcher {number}"),
                },
                run_dir: folder,
                registry: registry.clone(),
                node: options.node.clone(),
                wrangler_js: options.wrangler_js.clone(),
                config,
                beside: if number == 1 { beside.clone() } else { Vec::new() },
                ready_path: options.ready_path.clone(),
                port,
            };
            dispatchers.push(Wrangler::start(options, lines.clone()).await?);
        }
        let urls = dispatchers.iter().map(|dispatcher| format!("http://127.0.0.1:{}", dispatcher.port())).collect();
        Ok((World { urls, dispatchers, configs, registry, namespace, recorder }, logs))
    }

    /// Kills every dispatcher as a crash would, and starts them again at the same URLs with the storage they left behind. With a
    /// changed variable, as a new version would be.
    pub async fn crash_and_restart(&mut self, changed: Option<(&str, &str)>) -> Result<(), WorldError> {
        for dispatcher in &mut self.dispatchers {
            dispatcher.kill().await?;
        }
        // What the dead had registered would keep the living from it for a minute and a half.
        remove_if_there(&self.registry).map_err(|source| WorldError::Write { path: self.registry.clone(), source })?;
        for (config, (name, value)) in self.configs.iter().zip(changed.into_iter().cycle()) {
            let text = fs::read_to_string(config);
            let text = text.map_err(|source| WorldError::Read { path: config.clone(), source })?;
            namespace::write(config, &format!("{:#}\n", config::with_var(&text, name, value)?))?;
        }
        for dispatcher in &mut self.dispatchers {
            dispatcher.restart().await?;
        }
        Ok(())
    }

    /// Comes back when every process is gone and every line and run was handed on.
    pub async fn stop(self) -> Result<(), WorldError> {
        // The first one last: the others' last words go to the Durable Objects that it has.
        for dispatcher in self.dispatchers.into_iter().rev() {
            dispatcher.stop().await.map_err(WorldError::Stop)?;
        }
        self.namespace.stop().await.map_err(WorldError::StopNamespace)?;
        self.recorder.stop().await;
        Ok(())
    }
}
