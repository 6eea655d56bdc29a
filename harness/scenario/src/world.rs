//! Who is in a scenario: facilitators in the dispatcher's order of preference, and tenants with a plan and a price.

use dispatcher_core::{egress::Egress, tenant::SharedOrigin};
use doubles::{Node, Repeats, TokenAlgorithm, node_kind::RawNode};
use grammar::{
    Name, Problem, Problems, Usdc,
    limits::{MAX_DISPATCHERS, MAX_FACILITATORS, MAX_SETTLE_TIMEOUT, MAX_TENANT_RATE, MAX_TENANTS, MAX_VERIFY_TIMEOUT},
    name,
    text::{NameText, PriceText, TimeText},
    time,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fmt, time::Duration};
use toml::Spanned;
use x402_protocol::{Address, PaymentFlow, v2::IdentifierRule};

/// Base Sepolia: where the doubles' chain pretends to be unless a scenario says otherwise.
const DEFAULT_NETWORK: Network = Network(84_532);

/// How far the node of a served world is behind: far enough that a caller is told that the outcome is unknown, and learns it soon.
const BLOCKS_BEHIND: u64 = 3;

/// The most objects of a ledger.
const MAX_SHARDS: u16 = 4_096;

/// Base.
const PRODUCTION: Network = Network(8_453);

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
            network: DEFAULT_NETWORK,
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
        Self { network: PRODUCTION, ..self }
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
        self.tenants.iter().any(|tenant| tenant.egress.is_some())
    }

    /// Whether the directory lies in key-value storage.
    pub fn stores_directory(&self) -> bool {
        self.directory == DirectoryIn::Stored
    }

    pub fn cpu_limit_policy(&self) -> CpuLimitPolicy {
        self.cpu_limit_policy
    }

    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == *id)
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
        let ids: Vec<Name> = self.tenants.iter().map(|tenant| tenant.id.clone()).collect();
        find("tenant", &ids, raw, problems)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    id: Name,
    listed: bool,
    version: Option<Name>,
    plan: Plan,
    price: Option<Usdc>,
    flow: PaymentFlow,
    identifier: IdentifierRule,
    facilitators: Option<Vec<Name>>,
    seller: Name,
    rates: Option<Rates>,
    egress: Option<Egress>,
    shared_origin: SharedOrigin,
    hosts: Vec<String>,
    pay_to: Option<Address>,
}

/// Requests in ten seconds, in place of the plan's. None is zero: the dispatcher would leave such a tenant out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The numbers of requests that run its Worker: with a payment, and without.
    pub tenant: u32,
    /// Payments of one payer.
    pub payer: u32,
    /// Whatever comes from one address.
    pub address: u32,
}

impl Tenant {
    /// Its own seller, by way of all facilitators, paid after it ran.
    pub fn plain(id: Name, plan: Plan, price: Option<Usdc>) -> Self {
        let (flow, identifier) = (PaymentFlow::default(), IdentifierRule::default());
        let (listed, version) = (true, None);
        let (facilitators, rates, egress) = (None, None, None);
        let seller = id.clone();
        let shared_origin = SharedOrigin::default();
        let (hosts, pay_to) = (Vec::new(), None);
        Self {
            seller,
            id,
            listed,
            version,
            plan,
            price,
            flow,
            identifier,
            facilitators,
            rates,
            egress,
            shared_origin,
            hosts,
            pay_to,
        }
    }

    /// Found at these hosts as well.
    pub fn at_hosts(self, hosts: Vec<String>) -> Self {
        Self { hosts, ..self }
    }

    /// Paid to an address that somebody has the key of.
    pub fn paid_to(self, address: Address) -> Self {
        Self { pay_to: Some(address), ..self }
    }

    /// Hosts beside the one that every tenant has.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The address that its callers pay to, where it names one.
    pub fn pay_to(&self) -> Option<Address> {
        self.pay_to
    }

    /// The hosts that its Worker may ask, where its record says.
    pub fn egress(&self) -> Option<&Egress> {
        self.egress.as_ref()
    }

    /// Whether its pages have the origin that all tenants by slug share.
    pub fn shares_origin(&self) -> bool {
        self.shared_origin == SharedOrigin::Trusted
    }

    pub(super) fn at_price(self, price: Usdc) -> Self {
        Self { price: Some(price), ..self }
    }

    pub(super) fn in_version(self, version: Name) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Name of its Worker in the namespace.
    pub fn script(&self) -> String {
        match &self.version {
            None => self.id.to_string(),
            Some(version) => format!("{}--{version}", self.id),
        }
    }

    pub fn id(&self) -> &Name {
        &self.id
    }

    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Those that it names itself, in its order; `None` for all of the world's.
    pub fn facilitators(&self) -> Option<&[Name]> {
        self.facilitators.as_deref()
    }

    /// `None` for a tenant whose API is free.
    pub fn price(&self) -> Option<Usdc> {
        self.price
    }

    /// When a payment's money moves.
    pub fn flow(&self) -> PaymentFlow {
        self.flow
    }

    /// Whether payments are to carry an identifier.
    pub fn identifier(&self) -> IdentifierRule {
        self.identifier
    }

    /// At which requests are let in; `None` for its plan's.
    pub fn rates(&self) -> Option<Rates> {
        self.rates
    }

    /// Whom its callers pay: its own name, unless several tenants are one seller's.
    pub fn seller(&self) -> &Name {
        &self.seller
    }
}

/// Decides the limits and rates that the dispatcher gives a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    Free,
    Pro,
    Business,
    Enterprise,
    Quarantine,
}

impl Plan {
    pub const ALL: [Self; 5] = [Self::Free, Self::Pro, Self::Business, Self::Enterprise, Self::Quarantine];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Business => "business",
            Self::Enterprise => "enterprise",
            Self::Quarantine => "quarantine",
        }
    }
}

/// A CAIP-2 id of an EVM chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network(u64);

impl Network {
    pub fn chain_id(&self) -> u64 {
        self.0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eip155:{}", self.0)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "World")]
pub(super) struct RawWorld {
    /// The CAIP-2 id of an EVM chain: Base Sepolia, "eip155:84532", unless given.
    #[schemars(with = "Option<String>", regex(pattern = "^eip155:[0-9]+$"))]
    network: Option<Spanned<String>>,
    /// How many share one settlement ledger, to be used in turn by clients: 1 unless given.
    #[schemars(with = "Option<usize>", range(min = 1, max = MAX_DISPATCHERS))]
    dispatchers: Option<Spanned<usize>>,
    /// In the dispatcher's order of preference.
    #[schemars(with = "Vec<NameText>", length(min = 1, max = MAX_FACILITATORS))]
    facilitators: Spanned<Vec<Spanned<String>>>,
    /// Facilitators that answer 401 without the key that the dispatcher has for them.
    #[serde(default)]
    #[schemars(with = "Vec<NameText>")]
    wants_key: Vec<Spanned<String>>,
    /// Facilitators that answer 401 without a token that was made for the call, as Coinbase's does.
    #[serde(default)]
    wants_token: Vec<RawTokens>,
    /// Facilitators that list other networks in `/supported`.
    #[serde(default)]
    #[schemars(with = "Vec<NameText>")]
    other_networks: Vec<Spanned<String>>,
    /// Whether the facilitators are the official library's, which nobody here wrote, on a chain of paper: the doubles are unless
    /// given. Such a world has no faults, and runs in the live tier alone.
    #[schemars(with = "Option<bool>")]
    official: Option<Spanned<bool>>,
    /// How an honest facilitator answers a `/settle` that it has answered before: `drawn` unless given.
    #[serde(default)]
    repeats: Repeats,
    /// The number of objects that the ledger is spread over, a power of two: the dispatcher's own unless given.
    #[schemars(with = "Option<u16>", range(min = 1, max = MAX_SHARDS))]
    shards: Option<Spanned<u16>>,
    /// A node of the chain that the dispatcher may ask: there is none unless given.
    #[schemars(with = "Option<RawNode>")]
    node: Option<Spanned<RawNode>>,
    /// Several of them, in place of one: the first is asked first.
    #[serde(default)]
    nodes: Vec<RawNode>,
    /// The dispatcher's clock is set back once, as hosts' clocks are (only = "sim").
    #[schemars(with = "Option<RawSetBack>")]
    clock_set_back: Option<Spanned<RawSetBack>>,
    /// Whose Workers the dispatcher runs.
    #[schemars(with = "Vec<RawTenant>", length(min = 1, max = MAX_TENANTS))]
    tenant: Spanned<Vec<RawTenant>>,
    /// The source of the dispatcher's tenants: `variable` unless given.
    #[serde(default)]
    directory: DirectoryIn,
    /// The fate of a tenant that runs out of CPU time again and again: `alert` unless given.
    #[serde(default)]
    cpu_limit_policy: CpuLimitPolicy,
    /// How long the dispatcher waits for `/verify`: "2s" unless given.
    #[schemars(with = "Option<TimeText>")]
    verify_timeout: Option<Spanned<String>>,
    /// And for `/settle`: "5s" unless given.
    #[schemars(with = "Option<TimeText>")]
    settle_timeout: Option<Spanned<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Tokens")]
struct RawTokens {
    /// Whose.
    #[schemars(with = "NameText")]
    of: Spanned<String>,
    /// How they are signed.
    algorithm: TokenAlgorithm,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "SetBack")]
struct RawSetBack {
    #[schemars(with = "TimeText")]
    at: Spanned<String>,
    #[schemars(with = "TimeText")]
    by: Spanned<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Tenant")]
struct RawTenant {
    /// Its name, slug and host.
    #[schemars(with = "NameText")]
    id: Spanned<String>,
    /// Whether the directory has it when the run begins: it does unless given.
    #[schemars(with = "Option<bool>")]
    listed: Option<Spanned<bool>>,
    /// Decides its limits and rates.
    plan: Plan,
    /// In USDC; a tenant without one is free.
    #[schemars(with = "Option<PriceText>")]
    price: Option<Spanned<String>>,
    /// Whether the money moves after the tenant ran, or before: `authorization` unless given.
    #[serde(default)]
    #[schemars(with = "grammar::text::FlowText")]
    payment_flow: PaymentFlow,
    /// Whether payments are to carry an identifier: `optional` unless given.
    #[serde(default)]
    #[schemars(with = "grammar::text::IdentifierText")]
    payment_identifier: IdentifierRule,
    /// Those that it names itself, in its order: the world's unless given.
    #[schemars(with = "Option<Vec<NameText>>", length(min = 1))]
    facilitators: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whom callers pay: its own name unless given. Tenants of one seller share an address.
    #[schemars(with = "Option<NameText>")]
    seller: Option<Spanned<String>>,
    /// Requests in ten seconds, by an override: its plan's unless given.
    rates: Option<RawRates>,
    /// The hosts that its Worker may ask: hosts, or `*.` and a host. Where a tenant has it, the platform's outbound
    /// Worker is in the world; without `allow` every public host may be asked.
    #[schemars(with = "Option<grammar::text::EgressText>")]
    egress: Option<Egress>,
    /// Whether its pages by slug have the origin that all tenants there share: `sandboxed` unless given.
    #[serde(default)]
    #[schemars(with = "grammar::text::SharedOriginText")]
    shared_origin: SharedOrigin,
}

/// Requests in ten seconds, in place of the plan's.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Rates")]
struct RawRates {
    /// The numbers of requests that run its Worker: with a payment, and without.
    #[schemars(with = "u32", range(min = 1, max = MAX_TENANT_RATE))]
    tenant: Spanned<u32>,
    /// Payments of one payer.
    #[schemars(with = "u32", range(min = 1, max = MAX_TENANT_RATE))]
    payer: Spanned<u32>,
    /// Whatever comes from one address.
    #[schemars(with = "u32", range(min = 1, max = MAX_TENANT_RATE))]
    address: Spanned<u32>,
}

impl RawRates {
    fn check(self, problems: &mut Problems) -> Rates {
        let mut rate = |raw: Spanned<u32>| {
            if !(1..=MAX_TENANT_RATE).contains(raw.get_ref()) {
                let what = format!("a rate is 1 to {MAX_TENANT_RATE} requests in ten seconds");
                problems.add(Problem::new(raw.span(), what, "out of range"));
            }
            raw.into_inner()
        };
        Rates { tenant: rate(self.tenant), payer: rate(self.payer), address: rate(self.address) }
    }
}

impl RawWorld {
    pub(super) fn check(self, is_simulated_only: bool, problems: &mut Problems) -> Option<World> {
        let network = check_network(self.network, problems);
        if let Some(raw) = self.clock_set_back.as_ref().filter(|_| !is_simulated_only) {
            let problem = Problem::new(raw.span(), "only the simulated tier can set a clock", "runs live, too");
            problems.add(problem.help("put `only = \"sim\"` above the first table"));
        }
        let set_back = match self.clock_set_back.map(Spanned::into_inner) {
            Some(RawSetBack { at, by }) => {
                let (at, by) = (time::check_positive(&at, problems), time::check_positive(&by, problems));
                Some(SetBack { at: at?, by: by? })
            }
            None => None,
        };
        check_count(
            "facilitator",
            self.facilitators.get_ref().len(),
            MAX_FACILITATORS,
            self.facilitators.span(),
            problems,
        );
        check_count("tenant", self.tenant.get_ref().len(), MAX_TENANTS, self.tenant.span(), problems);
        let dispatchers = self.dispatchers.map_or(1, |raw| {
            check_count("dispatcher", *raw.get_ref(), MAX_DISPATCHERS, raw.span(), problems);
            raw.into_inner()
        });
        let facilitators = self.facilitators.into_inner();
        let tenants = self.tenant.into_inner();
        name::check_unique("facilitator", &facilitators.iter().collect::<Vec<_>>(), problems);
        name::check_unique("tenant", &tenants.iter().map(|tenant| &tenant.id).collect::<Vec<_>>(), problems);
        let mut timeout = |raw: Option<Spanned<String>>, default, most| match raw {
            // A bad one is reported; the rest of the file is still checked, as if it said nothing.
            Some(raw) => check_timeout(&raw, most, problems).unwrap_or(default),
            None => default,
        };
        let verify_timeout = timeout(self.verify_timeout, DEFAULT_VERIFY_TIMEOUT, MAX_VERIFY_TIMEOUT);
        let settle_timeout = timeout(self.settle_timeout, DEFAULT_SETTLE_TIMEOUT, MAX_SETTLE_TIMEOUT);
        let facilitators: Vec<_> = facilitators.iter().map(|raw| Name::check("facilitator", raw, problems)).collect();
        let facilitators = facilitators.into_iter().collect::<Option<Vec<_>>>()?;
        let wants_key = find_all(&facilitators, &self.wants_key, problems);
        let wants_token: Vec<_> = self
            .wants_token
            .iter()
            .map(|raw| Some((find("facilitator", &facilitators, &raw.of, problems)?, raw.algorithm)))
            .collect();
        let wants_token = wants_token.into_iter().collect::<Option<Vec<_>>>();
        let other_networks = find_all(&facilitators, &self.other_networks, problems);
        let shards = self.shards.as_ref().map(|raw| *raw.get_ref());
        if let Some(raw) = self.shards.as_ref().filter(|raw| {
            let count = *raw.get_ref();
            !count.is_power_of_two() || count > MAX_SHARDS
        }) {
            problems.add(Problem::new(raw.span(), format!("a power of two, 1 to {MAX_SHARDS}"), "not so many"));
        }
        if let Some(one) = self.node.as_ref().filter(|_| !self.nodes.is_empty()) {
            let problem = Problem::new(one.span(), "there are `nodes` already", "one more");
            problems.add(problem.help("write it into `nodes`"));
        }
        let nodes = self.node.map(Spanned::into_inner).into_iter().chain(self.nodes);
        let nodes = nodes.map(|node| node.check(problems)).collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
        let official = self.official.as_ref().is_some_and(|raw| *raw.get_ref());
        if let (true, Some(name)) = (official, self.other_networks.first()) {
            let problem = Problem::new(name.span(), "an official facilitator lists what it serves", "official");
            problems.add(problem.help("leave `official` out for doubles, which may list anything"));
        }
        let tenants: Vec<_> =
            tenants.into_iter().map(|raw| raw.check(&facilitators, self.directory, problems)).collect();
        Some(World {
            network: network?,
            dispatchers,
            shards,
            facilitators,
            wants_key: wants_key?,
            wants_token: wants_token?,
            other_networks: other_networks?,
            official,
            repeats: self.repeats,
            nodes,
            set_back,
            tenants: tenants.into_iter().collect::<Option<_>>()?,
            directory: self.directory,
            cpu_limit_policy: self.cpu_limit_policy,
            verify_timeout,
            settle_timeout,
        })
    }
}

impl RawTenant {
    fn check(self, facilitators: &[Name], directory: DirectoryIn, problems: &mut Problems) -> Option<Tenant> {
        let listed = match &self.listed {
            Some(raw) if directory == DirectoryIn::Variable && !raw.get_ref() => {
                let problem = Problem::new(raw.span(), "the directory is not stored", "would never be listed");
                problems.add(problem.help("write directory = \"stored\" in [world]"));
                return None;
            }
            listed => listed.as_ref().is_none_or(|raw| *raw.get_ref()),
        };
        let id = Name::check("tenant", &self.id, problems);
        let seller = self.seller.as_ref().unwrap_or(&self.id);
        let seller = Name::check("seller", seller, problems);
        let price = match self.price {
            Some(raw) => Some(Usdc::check(&raw, problems)?),
            None => None,
        };
        let (flow, identifier) = (self.payment_flow, self.payment_identifier);
        let facilitators = match self.facilitators {
            Some(own) if own.get_ref().is_empty() => {
                let problem = Problem::new(own.span(), "the tenant names no facilitator", "empty");
                problems.add(problem.help("leave `facilitators` out for all of the world's"));
                return None;
            }
            Some(own) => {
                name::check_unique("facilitator", &own.get_ref().iter().collect::<Vec<_>>(), problems);
                Some(find_all(facilitators, own.get_ref(), problems)?)
            }
            None => None,
        };
        Some(Tenant {
            id: id?,
            listed,
            version: None,
            plan: self.plan,
            rates: self.rates.map(|rates| rates.check(problems)),
            price,
            flow,
            identifier,
            facilitators,
            seller: seller?,
            egress: self.egress,
            shared_origin: self.shared_origin,
            hosts: Vec::new(),
            pay_to: None,
        })
    }
}

fn check_network(raw: Option<Spanned<String>>, problems: &mut Problems) -> Option<Network> {
    let Some(raw) = raw else { return Some(DEFAULT_NETWORK) };
    let (text, at) = (raw.get_ref().as_str(), raw.span());
    let chain = text.strip_prefix("eip155:").and_then(|id| id.parse().ok());
    if chain.is_none() {
        let problem = Problem::new(at, format!("`{text}` is not an EVM network"), "not a CAIP-2 id");
        problems.add(problem.help("a CAIP-2 id such as \"eip155:84532\", Base Sepolia"));
    }
    chain.map(Network)
}

fn check_timeout(raw: &Spanned<String>, most: Duration, problems: &mut Problems) -> Option<Duration> {
    let timeout = time::check_positive(raw, problems)?;
    if timeout > most {
        let label = format!("the limit is {}", time::show(most));
        problems.add(Problem::new(raw.span(), "the dispatcher would not wait for so long", label));
        return None;
    }
    Some(timeout)
}

fn check_count(kind: &str, count: usize, most: usize, at: std::ops::Range<usize>, problems: &mut Problems) {
    if count == 0 || count > most {
        problems.add(Problem::new(at, format!("a world has 1 to {most} {kind}s"), format!("{count} of them")));
    }
}

fn find_all(facilitators: &[Name], raw: &[Spanned<String>], problems: &mut Problems) -> Option<Vec<Name>> {
    let found: Vec<_> = raw.iter().map(|raw| find("facilitator", facilitators, raw, problems)).collect();
    found.into_iter().collect()
}

fn find(kind: &str, names: &[Name], raw: &Spanned<String>, problems: &mut Problems) -> Option<Name> {
    let found = names.iter().find(|name| **name == *raw.get_ref().as_str());
    if found.is_none() {
        let alternatives: Vec<&str> = names.iter().map(Name::as_str).collect();
        problems.add(Problem::unknown(raw.span(), kind, raw.get_ref(), &alternatives));
    }
    found.cloned()
}
