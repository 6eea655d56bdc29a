//! Who is in a scenario: facilitators in the dispatcher's order of preference, and tenants with a plan and a price.

mod network;
mod plan;
mod rates;
mod raw;
mod raw_tenant;
mod tenant;

pub use network::Network;
pub use plan::Plan;
pub use rates::Rates;
pub use raw::RawWorld;
pub use tenant::Tenant;

use doubles::{Node, Repeats, TokenAlgorithm};
use grammar::{Name, Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// How far the node of a served world is behind: far enough that a caller is told that the outcome is unknown, and learns it soon.
const BLOCKS_BEHIND: u64 = 3;

/// The time that the dispatcher waits for `/verify` unless a scenario says otherwise: nothing is at stake yet, so fail
/// over fast.
const DEFAULT_VERIFY_TIMEOUT: Duration = Duration::from_secs(2);

/// The time that the dispatcher waits for `/settle` unless a scenario says otherwise: an unknown outcome costs more
/// than a wait.
const DEFAULT_SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct World {
    network: Network,
    dispatchers: usize,
    shards: Option<u16>,
    facilitators: Vec<Name>,
    wants_key: Vec<Name>,
    wants_token: Vec<(Name, TokenAlgorithm)>,
    other_networks: Vec<Name>,
    official: bool,
    repeats: Repeats,
    nodes: Vec<Node>,
    set_back: Option<SetBack>,
    tenants: Vec<Tenant>,
    directory: DirectoryIn,
    cpu_limit_policy: CpuLimitPolicy,
    verify_timeout: Duration,
    settle_timeout: Duration,
}

/// A moment at which the dispatcher's clock is set back. Nobody else's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBack {
    pub at: Duration,
    pub by: Duration,
}

/// The fate of a tenant that runs out of CPU time again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CpuLimitPolicy {
    /// It is told.
    #[default]
    Alert,
    /// It is told, and put into quarantine for ten minutes.
    Quarantine,
}

impl CpuLimitPolicy {
    /// The word in the dispatcher's variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Quarantine => "quarantine",
        }
    }
}

/// The source of the dispatcher's tenants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum DirectoryIn {
    /// Its configuration lists them.
    #[default]
    Variable,
    /// Snapshots of them lie in key-value storage, and may change while the run is on.
    Stored,
}

impl World {
    /// One dispatcher on the default network, with time-outs to match. `facilitators` and `tenants` are never empty, and no
    /// two of either share a name.
    pub fn plain(facilitators: Vec<Name>, tenants: Vec<Tenant>) -> Self {
        Self {
            network: network::DEFAULT_NETWORK,
            dispatchers: 1,
            shards: None,
            facilitators,
            wants_key: Vec::new(),
            wants_token: Vec::new(),
            other_networks: Vec::new(),
            official: false,
            repeats: Repeats::default(),
            nodes: Vec::new(),
            set_back: None,
            tenants,
            directory: DirectoryIn::default(),
            cpu_limit_policy: CpuLimitPolicy::default(),
            verify_timeout: DEFAULT_VERIFY_TIMEOUT,
            settle_timeout: DEFAULT_SETTLE_TIMEOUT,
        }
    }

    pub fn with_node(self) -> Self {
        let nodes =
            if self.nodes.is_empty() && !self.official { vec![Node::Lagging(BLOCKS_BEHIND)] } else { self.nodes };
        Self { nodes, ..self }
    }

    /// With its directory in key-value storage, from where it can be changed.
    pub fn stored(self) -> Self {
        Self { directory: DirectoryIn::Stored, ..self }
    }

    /// On the network of an environment, `prod` or `test`.
    pub fn in_production(self) -> Self {
        Self { network: network::PRODUCTION, ..self }
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How many share the settlement ledger; at least one.
    pub fn dispatchers(&self) -> usize {
        self.dispatchers
    }

    /// In the order in which the dispatcher prefers them; never empty.
    pub fn facilitators(&self) -> &[Name] {
        &self.facilitators
    }

    /// Whether the facilitator answers only who sends the API key that the run draws for it.
    pub fn wants_key(&self, facilitator: &str) -> bool {
        self.wants_key.iter().any(|name| name.as_str() == facilitator)
    }

    /// How the tokens are signed that the facilitator wants with each call, if it does.
    pub fn wants_token(&self, facilitator: &str) -> Option<TokenAlgorithm> {
        self.wants_token.iter().find(|(name, _)| name.as_str() == facilitator).map(|(_, algorithm)| *algorithm)
    }

    /// Whether the facilitator lists, in `/supported`, other networks than the world's.
    pub fn lists_other_networks(&self, facilitator: &str) -> bool {
        self.other_networks.iter().any(|name| name.as_str() == facilitator)
    }

    /// Whether its facilitators are the official library's, on a chain of paper: which takes the live tier.
    pub fn is_official(&self) -> bool {
        self.official
    }

    /// How its honest facilitators answer a `/settle` that they have answered before.
    pub fn repeats(&self) -> Repeats {
        self.repeats
    }

    /// The number of objects that the ledger is spread over, in place of the dispatcher's own.
    pub fn shards(&self) -> Option<u16> {
        self.shards
    }

    /// The nodes of the chain that the dispatcher may ask, the first asked first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// When the dispatcher's clock is set back, if it is.
    pub fn set_back(&self) -> Option<SetBack> {
        self.set_back
    }

    /// Never empty.
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// Those that the directory has when the run begins.
    pub fn listed(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().filter(|tenant| tenant.listed)
    }

    /// Whether what tenants ask of the outside passes the platform's outbound Worker.
    pub fn confines_egress(&self) -> bool {
        self.tenants.iter().any(|tenant| tenant.egress().is_some())
    }

    /// Whether the directory lies in key-value storage.
    pub fn stores_directory(&self) -> bool {
        self.directory == DirectoryIn::Stored
    }

    pub fn cpu_limit_policy(&self) -> CpuLimitPolicy {
        self.cpu_limit_policy
    }

    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| *tenant.id() == *id)
    }

    pub fn verify_timeout(&self) -> Duration {
        self.verify_timeout
    }

    pub fn settle_timeout(&self) -> Duration {
        self.settle_timeout
    }

    pub(super) fn find_facilitator(&self, raw: &Spanned<String>, problems: &mut Problems) -> Option<Name> {
        find("facilitator", &self.facilitators, raw, problems)
    }

    pub(super) fn find_tenant(&self, raw: &Spanned<String>, problems: &mut Problems) -> Option<Name> {
        let ids: Vec<Name> = self.tenants.iter().map(|tenant| tenant.id().clone()).collect();
        find("tenant", &ids, raw, problems)
    }
}

fn find(kind: &str, names: &[Name], raw: &Spanned<String>, problems: &mut Problems) -> Option<Name> {
    let found = names.iter().find(|name| **name == *raw.get_ref().as_str());
    if found.is_none() {
        let alternatives: Vec<&str> = names.iter().map(Name::as_str).collect();
        problems.add(Problem::unknown(raw.span(), kind, raw.get_ref(), &alternatives));
    }
    found.cloned()
}
