//! The chain that a world is on.

use grammar::{Problem, Problems};
use std::fmt;
use toml::Spanned;

/// Base Sepolia: where the doubles' chain pretends to be unless a scenario says otherwise.
pub const DEFAULT_NETWORK: Network = Network(84_532);

/// Base.
pub const PRODUCTION: Network = Network(8_453);

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

pub fn check(raw: Option<Spanned<String>>, problems: &mut Problems) -> Option<Network> {
    let Some(raw) = raw else { return Some(DEFAULT_NETWORK) };
    let (text, at) = (raw.get_ref().as_str(), raw.span());
    let chain = text.strip_prefix("eip155:").and_then(|id| id.parse().ok());
    if chain.is_none() {
        let problem = Problem::new(at, format!("`{text}` is not an EVM network"), "not a CAIP-2 id");
        problems.add(problem.help("a CAIP-2 id such as \"eip155:84532\", Base Sepolia"));
    }
    chain.map(Network)
}
