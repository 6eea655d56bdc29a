//! `loadtests/budgets.toml`: what a request may cost beside a Worker that only dispatches, in the same run and on the same
//! machine. Absolute times differ from machine to machine, and no budget is one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Interval, Outcome};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budgets {
    /// By the route's name.
    pub route: BTreeMap<String, RouteBudgets>,
    pub errors: ShareBudgets,
    pub memory: MemoryBudget,
    pub canary: CanaryBudgets,
}

/// The most that one kind of request may cost, as ratios to the bare Worker.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouteBudgets {
    /// CPU time of the server a request. It hardly depends on what else the machine does, so it decides.
    pub cpu: Budget,
    /// The 95th percentile from when a request was due.
    pub p95: Budget,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The figure when the budget was set, on a quiet machine.
    pub measured: f64,
    /// The largest figure that is let through.
    pub most: f64,
}

/// Shares of all requests.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShareBudgets {
    /// The number of requests that may be answered wrongly, or not at all.
    pub wrong: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MemoryBudget {
    /// The bytes that a request may leave behind in the server's memory, once it is warm. A collector's heap goes up
    /// and down by more than a small leak in a minute.
    pub bytes_a_request: f64,
    /// The same over a soak, which a small leak does not get through.
    pub soaked_bytes_a_request: f64,
}

/// The most by which a new version may be worse than the old one beside it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CanaryBudgets {
    /// With fewer requests at the new version there is no verdict.
    pub least_requests: u64,
    /// How much more of its requests may fail.
    pub error_share: f64,
    /// Ratios of new to old.
    pub p95: f64,
    pub p99: f64,
    pub cpu: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    #[error("budgets.toml cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("budgets.toml: {what} must be above 0, and is {is}")]
    NotPositive { what: String, is: f64 },
    #[error(
        "budgets.toml: {what} lets through {most} and was measured as {measured}: the budget is below what is there"
    )]
    BelowMeasured { what: String, most: f64, measured: f64 },
}

impl Budgets {
    /// Reads the file. What cannot be held, or holds nothing, is refused.
    pub fn parse(text: &str) -> Result<Self, BudgetError> {
        let budgets: Self = toml::from_str(text)?;
        for (route, budget) in &budgets.route {
            budget.cpu.check(&format!("route.{route}.cpu"))?;
            budget.p95.check(&format!("route.{route}.p95"))?;
        }
        let CanaryBudgets { error_share, p95, p99, cpu, .. } = budgets.canary;
        let numbers = [
            ("memory.bytes-a-request", budgets.memory.bytes_a_request),
            ("memory.soaked-bytes-a-request", budgets.memory.soaked_bytes_a_request),
            ("canary.error-share", error_share),
            ("canary.p95", p95),
            ("canary.p99", p99),
            ("canary.cpu", cpu),
        ];
        let wrong = numbers.into_iter().find(|(_, is)| !(is.is_finite() && *is > 0.0));
        wrong.map_or(Ok(budgets), |(what, is)| Err(BudgetError::NotPositive { what: what.to_owned(), is }))
    }
}

impl Budget {
    fn check(self, what: &str) -> Result<(), BudgetError> {
        let Self { measured, most } = self;
        let what = what.to_owned();
        if !(measured.is_finite() && measured > 0.0) {
            Err(BudgetError::NotPositive { what, is: measured })
        } else if !(most.is_finite() && most > measured) {
            Err(BudgetError::BelowMeasured { what, most, measured })
        } else {
            Ok(())
        }
    }

    /// A ratio breaks its budget where all of its interval is above, and keeps it where none is. Between them nobody knows, and
    /// a measurement that goes on may.
    #[must_use]
    pub fn judge(self, ratio: &Interval) -> Outcome {
        match () {
            () if ratio.low > self.most => Outcome::Fail,
            () if ratio.high <= self.most => Outcome::Pass,
            () => Outcome::Unknown,
        }
    }

    /// Tells whether what is measured now leaves so much room that the budget guards little.
    #[must_use]
    pub fn is_loose(self, ratio: &Interval) -> bool {
        ratio.high < 0.8 * self.measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio_of_pairs;
    use fastrand::Rng;

    const TEXT: &str = "
        [route.unpaid]
        cpu = { measured = 2.0, most = 2.4 }
        p95 = { measured = 2.0, most = 4.0 }
        [errors]
        wrong = 0.0
        [memory]
        bytes-a-request = 2000
        soaked-bytes-a-request = 200
        [canary]
        least-requests = 1000
        error-share = 0.002
        p95 = 1.25
        p99 = 1.5
        cpu = 1.2
    ";

    #[test]
    fn the_file_beside_the_load_tests_is_sound() {
        let text = include_str!("../../../loadtests/budgets.toml");
        let budgets = Budgets::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(budgets.route.keys().collect::<Vec<_>>(), ["paid", "pass-through", "unpaid"]);
    }

    #[test]
    fn a_budget_that_holds_nothing_is_refused() {
        assert!(Budgets::parse(TEXT).is_ok());
        for (from, to) in [
            ("most = 2.4", "most = 1.9"),
            ("most = 2.4", "most = nan"),
            ("measured = 2.0, most = 4.0", "measured = 0.0, most = 4.0"),
            ("cpu = 1.2", "cpu = -1.0"),
            ("wrong = 0.0", "wrongs = 0.0"),
        ] {
            assert!(Budgets::parse(&TEXT.replace(from, to)).is_err(), "{to}");
        }
    }

    /// Bursts in turns on a machine that somebody else uses as well: each is slower by anything up to `busy`.
    fn measured(cost: f64, busy: f64, seed: u64) -> Interval {
        let mut rng = Rng::with_seed(seed);
        let pairs: Vec<_> = (0..40).map(|_| (cost * (1.0 + busy * rng.f64()), 1.0 + busy * rng.f64())).collect();
        ratio_of_pairs(&pairs).expect("40 pairs are enough")
    }

    #[test]
    fn a_third_more_is_refused_and_the_same_never_is_whatever_runs_beside() {
        let budget = Budget { measured: 2.0, most: 2.3 };
        for seed in 0..60 {
            let busy = [0.05, 0.2, 0.5][seed as usize % 3];
            assert_ne!(budget.judge(&measured(2.0, busy, seed)), Outcome::Fail, "{seed}");
            assert_ne!(budget.judge(&measured(2.0 * 1.3, busy, seed)), Outcome::Pass, "{seed}");
        }
    }

    #[test]
    fn what_has_become_much_cheaper_is_told() {
        let budget = Budget { measured: 2.0, most: 2.3 };
        assert!(budget.is_loose(&measured(1.4, 0.02, 1)) && !budget.is_loose(&measured(2.0, 0.02, 1)));
    }
}
