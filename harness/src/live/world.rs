//! The live tier's world around one scenario: facilitator doubles, the Worker under `wrangler dev`, its tenants, and the
//! feeds from all of them into the journal.

use super::outbound::Outbound;
use crate::{
    directory::{KvStore, PublishError, Publisher, scripts},
    planting::VARIABLE,
    play::{faults, fund, keys, leaked, log_event, network, node_secret, refused, terms, vars},
    world::{
        LogLines, TenantDouble, World, WorldError, WorldOptions,
        deaths::Watch,
        internet::Internet,
        kv_double::KvDouble,
        location_double::LocationDouble,
        official::{OfficialError, OfficialFacilitators, OfficialOptions},
        tail::tail,
        workerd::WorkerdError,
        wrangler::LOG as WRANGLER_LOG,
    },
};
use doubles::{Chain, FacilitatorDouble, NodeDouble, OriginError, PaperChain, Script, Terms, node};
use journal::Journal;
use namespace::{Policy, Report};
use reports::event::Event;
use scenario::Scenario;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use system::guard::Guard;
use tokio::task::JoinHandle;
use traffic::Payers;
use wiremock::MockServer;
use x402_protocol::{Network, network::UnknownNetwork};

/// The tools that the live tier runs: found or built by the set-up.
#[derive(Clone, Debug)]
pub struct Tools {
    pub node: PathBuf,
    pub wrangler_js: PathBuf,
    pub workerd: PathBuf,
    /// It builds Workers in TypeScript.
    pub esbuild: PathBuf,
    /// Entry of the dispatcher's release bundle.
    pub bundle_index_js: PathBuf,
    /// And of the outbound Worker's.
    pub outbound_index_js: PathBuf,
    /// And of the telemetry Worker's, where it was asked for.
    pub telemetry_index_js: Option<PathBuf>,
    /// Variables that it has beside those of its configuration.
    pub telemetry_vars: BTreeMap<String, String>,
    /// The dispatcher's production configuration.
    pub wrangler_jsonc: PathBuf,
    /// The official facilitator's server, where it was asked for.
    pub official_mjs: Option<PathBuf>,
    /// The planted bug that bites. A bundle that ships has none.
    pub planted: Option<String>,
}

pub struct LiveOptions<'a> {
    pub tools: &'a Tools,
    pub scenario: &'a Scenario,
    pub seed: u64,
    /// Absolute.
    pub run_dir: &'a Path,
    /// The port of the dispatcher; any free one where absent.
    pub port: Option<u16>,
    /// The ports of its doubles, primary first; any free one for those beyond the last.
    pub facilitator_ports: &'a [u16],
    /// In place of the doubles, primary first; empty: the scenario's doubles with its faults.
    pub facilitator_urls: &'a [String],
    /// Nodes of the chain that the dispatcher may ask; empty: the scenario's double, if it has one.
    pub node_urls: &'a [String],
    /// Somebody else fills the namespace's folder with Workers ([`NAMESPACE_TENANTS`]); without it each tenant is a double.
    pub own_workers: bool,
    /// In place of the scenario's tenants and their doubles.
    pub sellers: Option<&'a Sellers>,
}

/// Tenants that are somebody's own.
#[derive(Clone, Debug)]
pub struct Sellers {
    /// The registry as the dispatcher reads it.
    pub directory: Value,
    /// A folder for each script.
    pub scripts: PathBuf,
}

/// The folder of the namespace's Workers, in the run's folder.
pub const NAMESPACE_TENANTS: &str = "namespace/tenants";

/// A running world.
pub struct Live {
    /// One address for each dispatcher; never empty.
    pub urls: Vec<String>,
    pub platform_token: String,
    /// Tenants by the token that only they know.
    pub canaries: BTreeMap<String, String>,
    pub facilitator_urls: Vec<(String, String)>,
    /// Dispatcher request lines that have been read so far.
    pub request_lines: Arc<AtomicU64>,
    pub world: World,
    /// The log of the first dispatcher.
    pub log: PathBuf,
    /// The store of the tenant directory, if it is stored.
    pub directory: Option<KvStore>,
    kv_double: Option<KvDouble>,
    location: Option<LocationDouble>,
    outbound: Option<Outbound>,
    /// Lives as long as the world.
    _internet: Option<Internet>,
    journal: Journal,
    doubles: Vec<FacilitatorDouble>,
    official: Option<(OfficialFacilitators, PaperChain)>,
    /// Serves until it is dropped.
    nodes: Vec<MockServer>,
    feeds: Vec<JoinHandle<()>>,
}

/// It is answered without a tenant, a payment or a log line.
const READY_PATH: &str = "/__platform/ready";

const LAST_LINES: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error("asking the dispatcher whether it is ready")]
    Unready(#[source] reqwest::Error),
    #[error("the dispatcher refuses its configuration: {said}\nit stands in {}, line {line}", log.display())]
    Refused { said: String, log: PathBuf, line: usize },
    #[error("opening what `fault` reaches the world by")]
    Control(#[source] io::Error),
    #[error("the dispatcher answers {status} to everything; its log is {}, and ends with:\n{tail}", log.display())]
    Misconfigured { status: u16, log: PathBuf, tail: String },
    #[error("starting the facilitator double {name}")]
    Double { name: String, source: io::Error },
    #[error("running the official facilitators")]
    Official(#[from] OfficialError),
    #[error("reading what moved at the official facilitators")]
    PaperChain(#[source] OriginError),
    #[error("making the client for the official facilitators")]
    Client(#[source] reqwest::Error),
    #[error("stopping a facilitator double")]
    StopDouble(#[source] io::Error),
    #[error("listening for what sellers' Workers ask of the internet")]
    Internet(#[source] io::Error),
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
    /// `watch` is told of every part that ends by itself.
    pub async fn start(options: &LiveOptions<'_>, journal: &Journal, watch: Watch) -> Result<Self, LiveError> {
        let scenario = options.scenario;
        let network = network(scenario)?;
        let mut feeds = Vec::new();
        let mut doubles = Vec::new();
        let mut facilitator_urls = Vec::new();
        let mut keys = keys(scenario, secret);
        let mut nodes = Vec::new();
        let mut official = None;
        if options.facilitator_urls.is_empty() && scenario.world().is_official() {
            let (running, chain) = start_official(options, network, journal).await?;
            for (n, name) in scenario.world().facilitators().iter().enumerate() {
                let port = options.facilitator_ports.get(n).copied();
                let terms = Terms { port, ..terms(scenario, name.as_str(), &keys, options.seed) };
                let front =
                    FacilitatorDouble::in_front_of(name.to_string(), terms, chain.clone(), journal.clone()).await;
                let front = front.map_err(|source| LiveError::Double { name: name.to_string(), source })?;
                facilitator_urls.push((name.to_string(), front.url()));
                doubles.push(front);
            }
            official = Some((running, chain));
        } else if options.facilitator_urls.is_empty() {
            let chain = Arc::new(Chain::new(journal.clone()));
            fund(&chain, network, &Payers::from_seed(options.seed));
            for kind in scenario.world().nodes() {
                let served = node::serve(NodeDouble::new(*kind, network, &chain, journal.clone())).await;
                tracing::info!(url = served.uri(), "a node double listens");
                nodes.push(served);
            }
            if !nodes.is_empty() {
                let urls: Vec<_> = nodes.iter().map(|node| node.uri()).collect();
                keys.extend([node_secret(&urls)]);
            }
            for (n, name) in scenario.world().facilitators().iter().enumerate() {
                let name = name.as_str();
                let port = options.facilitator_ports.get(n).copied();
                let terms = Terms { port, ..terms(scenario, name, &keys, options.seed) };
                let faults = faults(scenario, name, options.seed);
                let double =
                    FacilitatorDouble::start(name.to_owned(), terms, Arc::clone(&chain), faults, journal.clone())
                        .await
                        .map_err(|source| LiveError::Double { name: name.to_owned(), source })?;
                tracing::info!(name, url = double.url(), "a facilitator double listens");
                facilitator_urls.push((name.to_owned(), double.url()));
                let (ended, told, name) = (double.ended(), watch.clone(), name.to_owned());
                tokio::spawn(async move {
                    ended.await;
                    told.tell_of(format!("the facilitator double `{name}`"), "its task is over".to_owned());
                });
                doubles.push(double);
            }
        } else {
            let named = options.facilitator_urls.iter().enumerate();
            facilitator_urls.extend(named.map(|(n, url)| (format!("given-{}", n + 1), url.clone())));
        }

        if !options.node_urls.is_empty() {
            keys.extend([node_secret(options.node_urls)]);
        }
        let sellers = options.sellers;
        let tenants: Vec<_> = scripts(scenario)
            .into_iter()
            .filter(|_| sellers.is_none() && !options.own_workers)
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
                let started = Outbound::start(options.run_dir, workerd, outbound_index_js, &watch).await;
                Some(started.map_err(LiveError::Outbound)?)
            }
            false => None,
        };
        // What a seller sells may be another API's answers.
        let internet = match sellers {
            Some(_) => Some(Internet::listen().await.map_err(LiveError::Internet)?),
            None => None,
        };
        let platform_token = secret();
        let platform_secret = ("PLATFORM_TOKEN".to_owned(), platform_token.clone());
        let theirs = sellers.map(|sellers| ("TENANT_DIRECTORY".to_owned(), sellers.directory.to_string()));
        let planted = options.tools.planted.clone().map(|bug| (VARIABLE.to_owned(), bug));
        let options = WorldOptions {
            guard: Guard::this_program(),
            watch,
            run_dir: options.run_dir.to_owned(),
            node: options.tools.node.clone(),
            wrangler_js: options.tools.wrangler_js.clone(),
            workerd: options.tools.workerd.clone(),
            bundle_index_js: options.tools.bundle_index_js.clone(),
            wrangler_jsonc: options.tools.wrangler_jsonc.clone(),
            telemetry_index_js: options.tools.telemetry_index_js.clone(),
            telemetry_vars: options.tools.telemetry_vars.clone(),
            vars: vars(scenario, network, &facilitator_urls).into_iter().chain(planted).chain(theirs).collect(),
            secrets: keys.into_iter().chain([platform_secret]).collect(),
            tenants: tenants.into_iter().map(|(double, _)| double).collect(),
            scripts: sellers.map(|sellers| sellers.scripts.clone()),
            directory: kv_double.as_ref().map(KvDouble::address),
            location: location.as_ref().map(LocationDouble::address),
            outbound: match (&outbound, &internet) {
                (Some(outbound), _) => outbound.policy(),
                (None, Some(internet)) => Policy::Forward(internet.address()),
                (None, None) => Policy::Double,
            },
            recorder_token: secret(),
            ready_path: READY_PATH.to_owned(),
            port: options.port,
            dispatchers: scenario.world().dispatchers(),
        };
        let log = options.run_dir.join(WRANGLER_LOG);
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
            log,
            directory,
            kv_double,
            location,
            outbound,
            _internet: internet,
            journal: journal.clone(),
            doubles,
            official,
            nodes,
            feeds,
        })
    }

    /// Fills the stored directory, where there is one, for the scenario to change it.
    pub fn publisher<'a>(&self, scenario: &'a Scenario) -> Result<Option<Publisher<'a>>, LiveError> {
        let Some(store) = &self.directory else { return Ok(None) };
        let facilitators = self.facilitator_urls.iter().map(|(id, _)| id.clone());
        Ok(Some(Publisher::open(scenario, network(scenario)?, facilitators, store.clone())?))
    }

    /// The doubles' scripts, by facilitator; none where the facilitators are no doubles that can fail.
    pub fn scripts(&self) -> Vec<(String, Arc<Script>)> {
        let can_fail = self.official.is_none();
        let doubles = self.doubles.iter().filter(|_| can_fail).map(FacilitatorDouble::script);
        self.facilitator_urls.iter().map(|(name, _)| name.clone()).zip(doubles).collect()
    }

    /// Fails if the dispatcher refuses its configuration: it answers 500 to everything then.
    pub async fn takes_its_configuration(&self) -> Result<(), LiveError> {
        let ask = async {
            let http = system::http_client::builder().build()?;
            Ok::<_, reqwest::Error>(http.get(format!("{}{READY_PATH}", self.urls[0])).send().await?.status())
        };
        match ask.await.map_err(LiveError::Unready)? {
            status if status.is_server_error() => {
                // The line that says why may come a moment after the answer.
                tokio::time::sleep(LAST_LINES).await;
                if let Some((line, said)) = refused(&self.log) {
                    return Err(LiveError::Refused { said, log: self.log.clone(), line });
                }
                Err(LiveError::Misconfigured { status: status.as_u16(), log: self.log.clone(), tail: tail(&self.log) })
            }
            _ => Ok(()),
        }
    }

    /// Comes back when every process is gone and everything they said is in the journal.
    pub async fn stop(self) -> Result<(), LiveError> {
        self.world.stop().await?;
        drop((self.kv_double, self.location, self.nodes));
        if let Some(outbound) = self.outbound {
            outbound.stop(&self.journal).await.map_err(LiveError::Outbound)?;
        }
        for double in self.doubles {
            double.stop().await.map_err(LiveError::StopDouble)?;
        }
        if let Some((running, chain)) = self.official {
            // What moved after its caller had gone.
            chain.tell().await.map_err(LiveError::PaperChain)?;
            running.stop().await?;
        }
        for feed in self.feeds {
            feed.await.expect("a feed only moves lines, and is never aborted");
        }
        Ok(())
    }
}

async fn start_official(
    options: &LiveOptions<'_>,
    network: Network,
    journal: &Journal,
) -> Result<(OfficialFacilitators, PaperChain), LiveError> {
    let Tools { node, official_mjs, .. } = options.tools;
    let running = OfficialFacilitators::start(OfficialOptions {
        guard: Guard::this_program(),
        run_dir: options.run_dir,
        node,
        server_mjs: official_mjs.as_ref().ok_or(OfficialError::NotSetUp)?,
        facilitators: options.scenario.world().facilitators().iter().map(ToString::to_string).collect(),
        network,
    })
    .await?;
    let client = system::http_client::builder().build().map_err(LiveError::Client)?;
    let chain = PaperChain::new(client, running.url(), journal.clone());
    Ok((running, chain))
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
            if let Some(leak) = leaked(&line, &canaries) {
                to.record(leak);
            }
            if let Some(event) = log_event(&line) {
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
