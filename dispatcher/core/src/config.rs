//! The deployment's configuration, parsed once per isolate. A bad one is refused as a whole, naming the key.

use crate::{
    directory::{Directory, DirectoryError},
    dispatch_key::is_host,
    quarantine::CpuPolicy,
    tenant::Available,
};
use std::rc::Rc;
use x402_paywall::{
    chain::{ChainNodes, NodesError},
    facilitator::{ConfigError as FacilitatorConfigError, Facilitators},
    ledger::layout::{Layout, LayoutError},
    ports::Secrets,
};
use x402_protocol::Network;

/// Which money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Charges on Base.
    Prod,
    /// Charges on Base Sepolia.
    Test,
}

impl Environment {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prod => "prod",
            Self::Test => "test",
        }
    }

    /// The one network that prices may be in. One and not several, so that no test payment ever buys from production.
    #[must_use]
    pub fn network(self) -> Network {
        match self {
            Self::Prod => Network::Base,
            Self::Test => Network::BaseSepolia,
        }
    }
}

/// The variables as the platform has them.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    /// `ENVIRONMENT`: `prod` or `test`.
    pub environment: Option<String>,
    /// `TENANT_DIRECTORY`: JSON, see [`Directory::from_json`]. Absent: all tenants are in a stored directory.
    pub tenant_directory: Option<String>,
    /// `CPU_LIMIT_POLICY`: `alert` or `quarantine`. Absent: alert.
    pub cpu_limit_policy: Option<String>,
    /// `FACILITATORS`: JSON, see [`Facilitators::from_json`].
    pub facilitators: Option<String>,
    /// `CHAIN_RPC_URLS`: JSON, see [`ChainNodes::from_json`]. A secret of this name goes before it.
    pub chain_rpc_urls: Option<String>,
    /// `ACCEPT_UNRESOLVED`: `true` lets production run without a node. Absent: `false`.
    pub accept_unresolved: Option<String>,
    /// `LEDGER_SHARDS`: see [`Layout::from_json`]. Absent: 16, and never another number before.
    pub ledger_shards: Option<String>,
    /// `DASHBOARD_HOST`: the one host at which operators have a page and a session. Absent: they have none.
    pub dashboard_host: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub environment: Environment,
    pub directory: Rc<Directory>,
    /// The facts that the records of a directory are checked against.
    pub available: Available,
    pub facilitators: Facilitators,
    pub cpu_policy: CpuPolicy,
    /// The nodes at which unknown settlements are looked up; `None`: nowhere.
    pub chain: Option<ChainNodes>,
    /// The shards of the settlement ledger.
    pub ledger: Layout,
    /// The host of the dashboard, without a port. No tenant is served there.
    pub dashboard_host: Option<Rc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("ENVIRONMENT is {0:?}, not prod or test")]
    Environment(String),
    #[error("CPU_LIMIT_POLICY is {0:?}, not alert or quarantine")]
    CpuPolicy(String),
    #[error("TENANT_DIRECTORY: {0}")]
    Directory(#[from] DirectoryError),
    #[error("FACILITATORS: {0}")]
    Facilitators(#[from] FacilitatorConfigError),
    #[error("CHAIN_RPC_URLS {0}")]
    Chain(#[from] NodesError),
    #[error(
        "CHAIN_RPC_URLS is not set: without a node of the chain an unknown settlement may never be known; set it to \
         [\"https://...\"] or [\"public\"], or ACCEPT_UNRESOLVED to true"
    )]
    NoNode,
    #[error("LEDGER_SHARDS {0}")]
    Ledger(#[from] LayoutError),
    #[error("ACCEPT_UNRESOLVED is {0:?}, not true or false")]
    AcceptUnresolved(String),
    #[error("DASHBOARD_HOST is {0:?}, not a host: lower-case letters, digits, dots and inner hyphens, and no port")]
    DashboardHost(String),
}

impl Config {
    pub fn from_vars(vars: &Vars, secrets: &impl Secrets) -> Result<Self, ConfigError> {
        let environment = match vars.environment.as_deref() {
            Some("prod") => Environment::Prod,
            Some("test") => Environment::Test,
            Some(other) => return Err(ConfigError::Environment(other.to_owned())),
            None => return Err(ConfigError::Missing("ENVIRONMENT")),
        };
        // No facilitator is a state, not a mistake: a paid tenant then answers 503, and free tenants go on.
        let facilitators = Facilitators::from_json(vars.facilitators.as_deref().unwrap_or("[]"), secrets)?;
        let available = Available { network: environment.network(), facilitators: facilitators.ids().into() };
        let listed = vars.tenant_directory.as_deref().unwrap_or(r#"{"tenants":[]}"#);
        let directory = Rc::new(Directory::from_json(listed, &available)?);
        let cpu_policy = match vars.cpu_limit_policy.as_deref() {
            None | Some("alert") => CpuPolicy::Alert,
            Some("quarantine") => CpuPolicy::Quarantine,
            Some(other) => return Err(ConfigError::CpuPolicy(other.to_owned())),
        };
        let accepts_unresolved = match vars.accept_unresolved.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(ConfigError::AcceptUnresolved(other.to_owned())),
        };
        let chain = chain(vars, secrets, environment.network())?;
        if environment == Environment::Prod && chain.is_none() && !accepts_unresolved {
            return Err(ConfigError::NoNode);
        }
        let ledger = vars.ledger_shards.as_deref().map_or(Ok(Layout::default()), Layout::from_json)?;
        let dashboard_host = match vars.dashboard_host.as_deref() {
            Some(host) if !is_host(host) => return Err(ConfigError::DashboardHost(host.to_owned())),
            host => host.map(Rc::from),
        };
        Ok(Self { environment, directory, available, facilitators, cpu_policy, chain, ledger, dashboard_host })
    }
}

/// The nodes, from a secret (because such URLs carry keys) or from a variable.
fn chain(vars: &Vars, secrets: &impl Secrets, network: Network) -> Result<Option<ChainNodes>, NodesError> {
    let listed = secrets.secret("CHAIN_RPC_URLS").or_else(|| vars.chain_rpc_urls.clone());
    if let Some(listed) = listed {
        return ChainNodes::from_json(&listed, network);
    }
    // The name that a former version read, for one node.
    let one = secrets.secret("CHAIN_RPC_URL");
    one.map(|url| ChainNodes::new([url.as_str()], network)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn each_environment_takes_its_own_network_only() {
        let tenant = |network| {
            format!(
                r#"{{"tenants":[{{"id":"a","plan":"pro","slug":"a","price":{{"amount":"1","network":"{network}","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C"}}}}]}}"#
            )
        };
        let config = |environment: &str, network| {
            let environment = Some(environment.to_owned());
            let tenant_directory = Some(tenant(network));
            let accept_unresolved = Some("true".to_owned());
            let vars = Vars { environment, tenant_directory, accept_unresolved, ..Vars::default() };
            Config::from_vars(&vars, &BTreeMap::new()).map(|config| config.directory.left_out().to_vec())
        };
        assert!(
            config("prod", "eip155:8453").unwrap().is_empty() && config("test", "eip155:84532").unwrap().is_empty()
        );
        for (environment, other) in [("prod", "eip155:84532"), ("test", "eip155:8453")] {
            assert!(config(environment, other).unwrap()[0].to_string().contains("price.network"));
        }
        assert!(config("dev", "eip155:8453").unwrap_err().to_string().contains("ENVIRONMENT"));
    }

    #[test]
    fn production_has_a_node_or_says_that_it_wants_none() {
        let config = |environment: &str, urls: Option<&str>, accepts: Option<&str>| {
            let vars = Vars {
                environment: Some(environment.to_owned()),
                chain_rpc_urls: urls.map(str::to_owned),
                accept_unresolved: accepts.map(str::to_owned),
                ..Vars::default()
            };
            Config::from_vars(&vars, &BTreeMap::new()).map(|config| config.chain.is_some())
        };
        assert_eq!(config("prod", None, None).unwrap_err(), ConfigError::NoNode);
        assert_eq!(config("prod", None, Some("true")), Ok(false));
        assert_eq!(config("prod", Some(r#"["public", "https://node.example/key"]"#), None), Ok(true));
        assert_eq!((config("test", None, None), config("test", Some("[]"), None)), (Ok(false), Ok(false)));
        assert_eq!(config("prod", Some("[]"), None).unwrap_err(), ConfigError::NoNode);
        for (urls, wrong) in [(r#"["http://node.example"]"#, "URL 1"), (r#""https://node.example""#, "JSON list")] {
            assert!(config("test", Some(urls), None).unwrap_err().to_string().contains(wrong), "{urls}");
        }
        assert!(config("test", None, Some("yes")).unwrap_err().to_string().contains("ACCEPT_UNRESOLVED"));
    }

    #[test]
    fn the_dashboards_host_is_a_host_without_a_port() {
        let config = |host: &str| {
            let vars =
                Vars { environment: Some("test".to_owned()), dashboard_host: Some(host.to_owned()), ..Vars::default() };
            Config::from_vars(&vars, &BTreeMap::new()).map(|config| config.dashboard_host)
        };
        assert_eq!(config("ops.example").unwrap().as_deref(), Some("ops.example"));
        for wrong in ["", "Ops.example", "ops.example:8443", "https://ops.example", "*.example"] {
            assert!(config(wrong).unwrap_err().to_string().contains("DASHBOARD_HOST"), "{wrong}");
        }
    }
}
