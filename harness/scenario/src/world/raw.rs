//! A world as a scenario writes it, and the checks that make one of it.

use super::{
    CpuLimitPolicy, DEFAULT_SETTLE_TIMEOUT, DEFAULT_VERIFY_TIMEOUT, DirectoryIn, SetBack, World, find, network,
    raw_tenant::RawTenant,
};
use doubles::{Repeats, TokenAlgorithm, node_kind::RawNode};
use grammar::{
    Name, Problem, Problems,
    limits::{MAX_DISPATCHERS, MAX_FACILITATORS, MAX_SETTLE_TIMEOUT, MAX_TENANTS, MAX_VERIFY_TIMEOUT},
    name,
    text::{NameText, TimeText},
    time,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The most objects of a ledger.
const MAX_SHARDS: u16 = 4_096;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "World")]
pub struct RawWorld {
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
    /// A node of the chain that the dispatcher may ask: there is none unless given.
    #[schemars(with = "Option<RawNode>")]
    node: Option<Spanned<RawNode>>,
    /// Several of them, in place of one: the first is asked first.
    #[serde(default)]
    nodes: Vec<RawNode>,
    /// The number of objects that the ledger is spread over, a power of two: the dispatcher's own unless given.
    #[schemars(with = "Option<u16>", range(min = 1, max = MAX_SHARDS))]
    shards: Option<Spanned<u16>>,
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

impl RawWorld {
    pub fn check(self, is_simulated_only: bool, problems: &mut Problems) -> Option<World> {
        let network = network::check(self.network, problems);
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
        let is_wrong = |count: u16| !count.is_power_of_two() || count > MAX_SHARDS;
        if let Some(raw) = self.shards.as_ref().filter(|raw| is_wrong(*raw.get_ref())) {
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

pub(super) fn find_all(facilitators: &[Name], raw: &[Spanned<String>], problems: &mut Problems) -> Option<Vec<Name>> {
    let found: Vec<_> = raw.iter().map(|raw| find("facilitator", facilitators, raw, problems)).collect();
    found.into_iter().collect()
}
