//! What a swarm came to, so that several machines' can be joined: numbers that add up, and every failure by its seed.

use reports::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the file. Raised when a field changes its meaning or goes away.
pub const SWARM_SCHEMA: u32 = 1;

/// Failures that are told in full: past these, more of them tell nothing new.
pub const MAX_TOLD: usize = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub schema: u32,
    /// The seed that all runs were drawn from.
    pub seed: u64,
    pub shards: u64,
    /// Whose runs these are, of `0..shards`.
    pub of_shards: Vec<u64>,
    pub runs: u64,
    pub broken_runs: u64,
    /// HTTP exchanges of simulated clients.
    pub requests: u64,
    /// Simulated time.
    pub simulated_s: f64,
    /// Time that simulating took, added up over threads.
    pub busy_s: f64,
    /// How each rule was judged, by its id.
    pub rules: BTreeMap<String, Verdicts>,
    pub failures: Vec<Failure>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    pub pass: u64,
    pub fail: u64,
    pub unknown: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The seed of the run, which repeats it.
    pub seed: u64,
    /// Ids of the rules that broke.
    pub rules: Vec<String>,
    /// The folder of the run.
    pub run_dir: String,
}

/// A fault of tallies that are to be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("it is of version {found}, and this harness reads {SWARM_SCHEMA}")]
    Schema { found: u32 },
    #[error("it is of another swarm: seed {found} in {found_shards} shards, not {wanted} in {wanted_shards}")]
    AnotherSwarm { found: u64, found_shards: u64, wanted: u64, wanted_shards: u64 },
    #[error("shard {0} is in two files")]
    Twice(u64),
}

impl Tally {
    #[must_use]
    pub fn new(seed: u64, shard: u64, shards: u64) -> Self {
        Self {
            schema: SWARM_SCHEMA,
            seed,
            shards,
            of_shards: vec![shard],
            runs: 0,
            broken_runs: 0,
            requests: 0,
            simulated_s: 0.0,
            busy_s: 0.0,
            rules: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    pub fn judged(&mut self, rule: &str, verdict: Verdict) {
        let verdicts = self.rules.entry(rule.to_owned()).or_default();
        *match verdict {
            Verdict::Pass => &mut verdicts.pass,
            Verdict::Fail => &mut verdicts.fail,
            Verdict::Unknown => &mut verdicts.unknown,
        } += 1;
    }

    /// Adds what another thread of the same shard came to.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.broken_runs += other.broken_runs;
        self.requests += other.requests;
        self.simulated_s += other.simulated_s;
        self.busy_s += other.busy_s;
        for (rule, verdicts) in other.rules {
            let sum = self.rules.entry(rule).or_default();
            sum.pass += verdicts.pass;
            sum.fail += verdicts.fail;
            sum.unknown += verdicts.unknown;
        }
        let room = MAX_TOLD.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
        self.failures.sort_by_key(|failure| failure.seed);
    }

    /// Adds what another shard of the same swarm came to.
    pub fn join(&mut self, other: Self) -> Result<(), Misfit> {
        if other.schema != SWARM_SCHEMA {
            return Err(Misfit::Schema { found: other.schema });
        }
        if (other.seed, other.shards) != (self.seed, self.shards) {
            return Err(Misfit::AnotherSwarm {
                found: other.seed,
                found_shards: other.shards,
                wanted: self.seed,
                wanted_shards: self.shards,
            });
        }
        if let Some(twice) = other.of_shards.iter().find(|shard| self.of_shards.contains(shard)) {
            return Err(Misfit::Twice(*twice));
        }
        self.of_shards.extend(&other.of_shards);
        self.of_shards.sort_unstable();
        self.add(other);
        Ok(())
    }

    /// Shards that nobody told of.
    #[must_use]
    pub fn missing(&self) -> Vec<u64> {
        (0..self.shards).filter(|shard| !self.of_shards.contains(shard)).collect()
    }

    /// Simulated exchanges per second of one core.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        if self.busy_s > 0.0 { self.requests as f64 / self.busy_s } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(shard: u64) -> Tally {
        let mut tally = Tally::new(42, shard, 3);
        tally.runs = 10;
        tally.judged("MONEY-1", Verdict::Pass);
        tally
    }

    #[test]
    fn shards_add_up_and_a_missing_one_is_named() {
        let mut all = shard(2);
        all.join(shard(0)).unwrap();
        assert_eq!((all.runs, all.rules["MONEY-1"].pass, all.missing()), (20, 2, vec![1]));
        all.join(shard(1)).unwrap();
        assert_eq!((all.of_shards.clone(), all.missing()), (vec![0, 1, 2], vec![]));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        assert_eq!(shard(1).join(shard(1)), Err(Misfit::Twice(1)));
        assert!(matches!(shard(1).join(Tally::new(43, 0, 3)), Err(Misfit::AnotherSwarm { found: 43, .. })));
        assert_eq!(shard(1).join(Tally { schema: 2, ..shard(0) }), Err(Misfit::Schema { found: 2 }));
    }
}
