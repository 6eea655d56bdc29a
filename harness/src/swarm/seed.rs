//! Where a swarm begins. A commit's hash is a seed: every commit then tries something new, and whoever has the commit can
//! repeat it.

use fastrand::Rng;
use scenario::limits::MAX_SEED;
use std::{fmt, str::FromStr};

/// The seed that all runs of a swarm are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwarmSeed(u64);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a number up to {MAX_SEED} nor a commit's 40 hex digits")]
pub struct NoSeed(String);

/// Hex digits of a commit's hash.
const COMMIT_DIGITS: usize = 40;

impl SwarmSeed {
    /// A fresh one.
    #[must_use]
    pub fn draw() -> Self {
        Self(fastrand::u64(..=MAX_SEED))
    }

    /// The seed of the swarm's n-th run, which a scenario file can carry.
    #[must_use]
    pub fn of_run(self, n: u64) -> u64 {
        // A generator's first number hardly depends on the low bits of its seed; later ones do.
        let mut rng = Rng::with_seed(self.0 ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (_, _) = (rng.u64(..), rng.u64(..));
        rng.u64(..=MAX_SEED)
    }
}

impl From<SwarmSeed> for u64 {
    fn from(seed: SwarmSeed) -> Self {
        seed.0
    }
}

impl fmt::Display for SwarmSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SwarmSeed {
    type Err = NoSeed;

    fn from_str(text: &str) -> Result<Self, NoSeed> {
        let refused = || NoSeed(text.to_owned());
        if text.len() == COMMIT_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // Fifteen digits are 60 bits, which fit whatever they are.
            return u64::from_str_radix(&text[..15], 16).map(Self).map_err(|_| refused());
        }
        text.parse().ok().filter(|seed| *seed <= MAX_SEED).map(Self).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_a_seed_and_so_is_a_number() {
        let commit: SwarmSeed = "6415bd7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
        assert_eq!(commit, "6415bd7aaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbb".parse().unwrap_or(commit));
        assert_eq!("42".parse::<SwarmSeed>().unwrap().to_string(), "42");
        for none in ["", "abc", "6415bd7", "99999999999999999999"] {
            assert!(none.parse::<SwarmSeed>().is_err(), "{none}");
        }
    }

    #[test]
    fn runs_of_one_swarm_and_of_neighbouring_swarms_differ() {
        let seeds: std::collections::BTreeSet<_> =
            (0..20).flat_map(|swarm| (0..50).map(move |run| SwarmSeed(swarm).of_run(run))).collect();
        assert_eq!(seeds.len(), 1_000);
    }
}
