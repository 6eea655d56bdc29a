//! The live tier's world around one scenario: facilitator doubles, the Worker under `wrangler dev`, its tenants, and the
//! feeds from all of them into the journal.

use super::{
    RunError,
    dispatcher_config::{faults, keys, network, terms, vars},
    dispatcher_log,
    outbound::Outbound,
    tenants::scripts,
};
use crate::{
    directory::{KvStore, PublishError, Publisher},
    facilitator::{Chain, FacilitatorDouble, Terms},
    interrupt::interrupted,
    journal::Journal,
    namespace::{Policy, Report},
    scenario::Scenario,
    selftest::planting::VARIABLE,
    world::{
        LogLines, TenantDouble, World, WorldError, WorldOptions, guard::Guard, kv_double::KvDouble,
        location_double::LocationDouble, workerd::WorkerdError,
    },
};
use reports::event::Event;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::JoinHandle;
use x402_protocol::network::UnknownNetwork;

/// What the live tier runs: found or built by the set-up.
#[derive(Clone, Debug)]
pub struct Tools {
    pub node: PathBuf,
    pub wrangler_js: PathBuf,
    pub workerd: PathBuf,
    /// Entry of the dispatcher's release bundle.
    pub bundle_index_js: PathBuf,
    /// And of the outbound Worker's.
    pub outbound_index_js: PathBuf,
    /// The dispatcher's production configuration.
    pub wrangler_jsonc: PathBuf,
    /// The planted bug that bites. A bundle that ships has none.
    pub planted: Option<String>,
}

pub struct LiveOptions<'a> {
    pub tools: &'a Tools,
    pub scenario: &'a Scenario,
    pub seed: u64,
    /// Absolute.
    pub run_dir: &'a Path,
    /// Of the dispatcher; any free one where absent.
    pub port: Option<u16>,
    /// Of its doubles, primary first; any free one for those beyond the last.
    pub facilitator_ports: &'a [u16],
    /// In place of the doubles, primary first; empty: the scenario's doubles with its faults.
    pub facilitator_urls: &'a [String],
}

/// A running world.
pub struct Live {
    /// Of each dispatcher; never empty.
    pub urls: Vec<String>,
    pub platform_token: String,
    /// Tenants by the token that only they know.
    pub canaries: BTreeMap<String, String>,
    pub facilitator_urls: Vec<(String, String)>,
    /// Dispatcher request lines that have been read so far.
    pub request_lines: Arc<AtomicU64>,
    pub world: World,
    /// Where the tenant directory lies, where it is stored.
    pub directory: Option<KvStore>,
    kv_double: Option<KvDouble>,
    location: Option<LocationDouble>,
    outbound: Option<Outbound>,
    journal: Journal,
    doubles: Vec<FacilitatorDouble>,
    feeds: Vec<JoinHandle<()>>,
}

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error("starting the facilitator double {name}")]
    Double { name: String, source: io::Error },
    #[error("stopping a facilitator double")]
    StopDouble(#[source] io::Error),
    #[error("running the outbound Worker")]
    Outbound(#[source] WorkerdError),
    #[error("starting the double of the location's counters")]
    Location(#[source] io::Error),
    #[error("starting the key-value double")]
    Directory(#[source] io::Error),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Network(#[from] UnknownNetwork),
}

impl Live {
    pub async fn start(options: &LiveOptions<'_>, journal: &Journal) -> Result<Self, LiveError> {
        let scenario = options.scenario;
        let network = network(scenario)?;
        let mut feeds = Vec::new();
        let mut doubles = Vec::new();
        let mut facilitator_urls = Vec::new();
        let keys = keys(scenario, secret);
        if options.facilitator_urls.is_empty() {
            let chain = Arc::new(Chain::new(journal.clone()));
            for (n, name) in scenario.world().facilitators().iter().enumerate() {
                let name = name.as_str();
                let port = options.facilitator_ports.get(n).copied();
                let terms = Terms { port, ..terms(scenario, name, &keys) };
                let faults = faults(scenario, name, options.seed);
                let double =
                    FacilitatorDouble::start(name.to_owned(), terms, Arc::clone(&chain), faults, journal.clone())
                        .await
                        .map_err(|source| LiveError::Double { name: name.to_owned(), source })?;
                facilitator_urls.push((name.to_owned(), double.url()));
                doubles.push(double);
            }
        } else {
            let named = options.facilitator_urls.iter().enumerate();
            facilitator_urls.extend(named.map(|(n, url)| (format!("given-{}", n + 1), url.clone())));
        }

        let tenants: Vec<_> = scripts(scenario)
            .into_iter()
            .map(|(script, tenant)| (TenantDouble { script, canary: secret() }, tenant))
            .collect();
        let canaries: BTreeMap<_, _> =
            tenants.iter().map(|(double, tenant)| (double.canary.clone(), tenant.clone())).collect();
        let directory = scenario.world().stores_directory().then(KvStore::default);
        let kv_double = match &directory {
            Some(store) => Some(KvDouble::listen(store.clone()).await.map_err(LiveError::Directory)?),
            None => None,
        };
        let location = match scenario.world().dispatchers() {
            1 => None,
            _ => Some(LocationDouble::listen().await.map_err(LiveError::Location)?),
        };
        let outbound = match scenario.world().confines_egress() {
            true => {
                let Tools { workerd, outbound_index_js, .. } = options.tools;
                let started = Outbound::start(options.run_dir, workerd, outbound_index_js).await;
                Some(started.map_err(LiveError::Outbound)?)
            }
            false => None,
        };
        let platform_token = secret();
        let platform_secret = ("PLATFORM_TOKEN".to_owned(), platform_token.clone());
        let planted = options.tools.planted.clone().map(|bug| (VARIABLE.to_owned(), bug));
        let options = WorldOptions {
            guard: Guard::this_program(),
            run_dir: options.run_dir.to_owned(),
            node: options.tools.node.clone(),
            wrangler_js: options.tools.wrangler_js.clone(),
            workerd: options.tools.workerd.clone(),
            bundle_index_js: options.tools.bundle_index_js.clone(),
            wrangler_jsonc: options.tools.wrangler_jsonc.clone(),
            vars: vars(scenario, network, &facilitator_urls).into_iter().chain(planted).collect(),
            secrets: keys.into_iter().chain([platform_secret]).collect(),
            tenants: tenants.into_iter().map(|(double, _)| double).collect(),
            directory: kv_double.as_ref().map(KvDouble::address),
            location: location.as_ref().map(LocationDouble::address),
            outbound: outbound.as_ref().map_or(Policy::Double, Outbound::policy),
            recorder_token: secret(),
            // Answers without a tenant, a payment or a log line.
            ready_path: "/__platform/ready".to_owned(),
            port: options.port,
            dispatchers: scenario.world().dispatchers(),
        };
        let to = journal.clone();
        let (world, logs) = World::start(options, Arc::new(move |report: Report| to.record(report.into()))).await?;
        let request_lines = Arc::new(AtomicU64::new(0));
        listen(logs, journal, &canaries, &request_lines, &mut feeds);
        let urls = world.urls.clone();
        Ok(Self {
            urls,
            platform_token,
            canaries,
            facilitator_urls,
            request_lines,
            world,
            directory,
            kv_double,
            location,
            outbound,
            journal: journal.clone(),
            doubles,
            feeds,
        })
    }

    /// Fills the stored directory, where there is one, for the scenario to change it.
    pub fn publisher<'a>(&self, scenario: &'a Scenario) -> Result<Option<Publisher<'a>>, LiveError> {
        let Some(store) = &self.directory else { return Ok(None) };
        let facilitators = self.facilitator_urls.iter().map(|(id, _)| id.clone());
        Ok(Some(Publisher::open(scenario, network(scenario)?, facilitators, store.clone())?))
    }

    /// Starts, unless a person calls it off first.
    pub async fn start_or_interrupted(options: &LiveOptions<'_>, journal: &Journal) -> Result<Self, RunError> {
        tokio::select! {
            live = Self::start(options, journal) => live.map_err(RunError::DidNotStart),
            () = interrupted() => Err(RunError::Interrupted),
        }
    }

    /// Comes back when every process is gone and everything they said is in the journal.
    pub async fn stop(self) -> Result<(), LiveError> {
        self.world.stop().await?;
        drop((self.kv_double, self.location));
        if let Some(outbound) = self.outbound {
            outbound.stop(&self.journal).await.map_err(LiveError::Outbound)?;
        }
        for double in self.doubles {
            double.stop().await.map_err(LiveError::StopDouble)?;
        }
        for feed in self.feeds {
            feed.await.expect("a feed only moves lines, and is never aborted");
        }
        Ok(())
    }
}

fn listen(
    mut logs: LogLines,
    journal: &Journal,
    canaries: &BTreeMap<String, String>,
    request_lines: &Arc<AtomicU64>,
    feeds: &mut Vec<JoinHandle<()>>,
) {
    let (to, canaries, seen) = (journal.clone(), canaries.clone(), Arc::clone(request_lines));
    feeds.push(tokio::spawn(async move {
        while let Some(line) = logs.recv().await {
            if let Some(leak) = dispatcher_log::leaked(&line, &canaries) {
                to.record(leak);
            }
            if let Some(event) = dispatcher_log::event(&line) {
                if matches!(event, Event::DispatcherRequest(_)) {
                    seen.fetch_add(1, Ordering::Relaxed);
                }
                to.record(event);
            }
        }
    }));
}

/// Unforgeable by what runs in the world; not from the seed, because nothing that is compared depends on it.
fn secret() -> String {
    let mut rng = fastrand::Rng::new();
    format!("{:016x}{:016x}", rng.u64(..), rng.u64(..))
}
