//! The protocol's generations. A payment is of one of them from its header to the facilitator and back.

use serde::{Deserialize, Serialize};

/// On the wire: the number in `x402Version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub enum Version {
    V1,
    V2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("x402Version {0} is not one of 1, 2")]
pub struct UnknownVersion(pub u64);

impl Version {
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

impl TryFrom<u64> for Version {
    type Error = UnknownVersion;
    fn try_from(number: u64) -> Result<Self, UnknownVersion> {
        Self::ALL.into_iter().find(|version| version.number() == number).ok_or(UnknownVersion(number))
    }
}

impl From<Version> for u64 {
    fn from(version: Version) -> Self {
        version.number()
    }
}
