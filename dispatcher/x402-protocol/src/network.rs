//! The networks a price can be asked on. A list, not a string: the USDC contract and its EIP-712 domain differ between
//! them, and taking Base Sepolia's domain name on Base makes every payment fail.

use crate::text::text_on_the_wire;
use crate::{Address, Version};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A chain on which USDC is taken. On the wire: its CAIP-2 id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Network {
    /// `eip155:8453`.
    Base,
    /// `eip155:84532`.
    BaseSepolia,
}

/// A token contract with the EIP-712 domain that its signatures are made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub address: Address,
    pub domain_name: &'static str,
    pub domain_version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("network {0:?} is not one of eip155:8453, eip155:84532")]
pub struct UnknownNetwork(pub String);

impl Network {
    pub const ALL: [Self; 2] = [Self::Base, Self::BaseSepolia];

    #[must_use]
    pub fn caip2(self) -> &'static str {
        match self {
            Self::Base => "eip155:8453",
            Self::BaseSepolia => "eip155:84532",
        }
    }

    /// How this generation of the protocol names the network.
    #[must_use]
    pub fn name_in(self, version: Version) -> &'static str {
        match (version, self) {
            (Version::V2, network) => network.caip2(),
            (Version::V1, Self::Base) => "base",
            (Version::V1, Self::BaseSepolia) => "base-sepolia",
        }
    }

    /// Whether a facilitator means this network by `name`, whichever generation it was asked in: some answer with the other
    /// generation's name, or with the chain's number alone, and no name is two networks'.
    #[must_use]
    pub fn is_named(self, name: &str) -> bool {
        let name = name.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        Version::ALL.into_iter().any(|version| name == self.name_in(version)) || name == self.caip2()["eip155:".len()..]
    }

    #[must_use]
    pub fn chain_id(self) -> u64 {
        match self {
            Self::Base => 8453,
            Self::BaseSepolia => 84532,
        }
    }

    /// Circle's USDC on this network, with its domain as the contract has it.
    #[must_use]
    pub fn usdc(self) -> Token {
        let (address, domain_name) = match self {
            Self::Base => (
                [
                    0x83, 0x35, 0x89, 0xfc, 0xd6, 0xed, 0xb6, 0xe0, 0x8f, 0x4c, 0x7c, 0x32, 0xd4, 0xf7, 0x1b, 0x54,
                    0xbd, 0xa0, 0x29, 0x13,
                ],
                "USD Coin",
            ),
            Self::BaseSepolia => (
                [
                    0x03, 0x6c, 0xbd, 0x53, 0x84, 0x2c, 0x54, 0x26, 0x63, 0x4e, 0x79, 0x29, 0x54, 0x1e, 0xc2, 0x31,
                    0x8f, 0x3d, 0xcf, 0x7e,
                ],
                "USDC",
            ),
        };
        Token { address: Address(address), domain_name, domain_version: "2" }
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;
    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        Self::ALL.into_iter().find(|network| network.caip2() == text).ok_or_else(|| UnknownNetwork(text.to_owned()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.caip2())
    }
}

text_on_the_wire!(Network);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_name_in_each_generation_and_shares_none() {
        for network in Network::ALL {
            for named in Network::ALL {
                for version in Version::ALL {
                    assert_eq!(network.is_named(named.name_in(version)), network == named);
                }
            }
        }
        for name in ["BASE", " base ", "8453", "EIP155:8453"] {
            assert!(Network::Base.is_named(name) && !Network::BaseSepolia.is_named(name), "{name}");
        }
        for name in ["base_sepolia", "Base Sepolia", "84532"] {
            assert!(Network::BaseSepolia.is_named(name) && !Network::Base.is_named(name), "{name}");
        }
        for name in ["", "eip155:", "845", "sepolia", "eip155:1", "basesepolia"] {
            assert!(Network::ALL.into_iter().all(|network| !network.is_named(name)), "{name}");
        }
    }

    #[test]
    fn usdc_has_the_addresses_that_circle_publishes() {
        assert_eq!(Network::Base.usdc().address.to_string(), "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
        assert_eq!(Network::BaseSepolia.usdc().address.to_string(), "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    }
}
