//! Whether one side is slower than the other, told from noise: a ratio of medians, and the interval that resampling gives for it.
//!
//! Surprising constraint: rounds are what is resampled, since requests of one round share whatever the machine did in it. With
//! a single round there is only its requests to resample, and the interval is narrower than it should be; the report says so.

use std::cmp::Ordering;

use fastrand::Rng;
use serde::Serialize;

/// Enough for the third digit of a 95 % interval.
const RESAMPLES: usize = 2_000;
/// The interval leaves out so much at either end.
const TAIL: f64 = 0.025;
/// The same draws for the same data: a verdict must not depend on luck.
const SEED: u64 = 402;

/// The result of comparing the second side with the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// Above 1 the second is slower.
    pub ratio: f64,
    /// 95 % of the resamples lie in it.
    pub from: f64,
    pub to: f64,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// By more than is allowed, and by more than noise: the whole interval lies above 1.
    Slower,
    /// The whole interval lies below what is allowed.
    NotSlower,
    /// The interval reaches from what would be fine to what would not.
    TooNoisy,
}

/// Compares a quantile of both sides. Rounds are in the order in which they ran, times in any unit; `None` where a side has
/// none. `allowed` is how much slower the second may be: 0.05 is 5 %.
#[must_use]
pub fn compare(first: &[Vec<f64>], second: &[Vec<f64>], quantile: f64, allowed: f64) -> Option<Ratio> {
    let measured = |rounds: &[Vec<f64>]| median(rounds.iter().filter_map(|round| at(round, quantile)).collect());
    let ratio = measured(second)? / measured(first)?;
    let mut rng = Rng::with_seed(SEED);
    let mut ratios = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let (first, second) = (resampled(first, &mut rng), resampled(second, &mut rng));
        ratios.extend(measured(&second).zip(measured(&first)).map(|(second, first)| second / first));
    }
    let (from, to) = (at(&ratios, TAIL)?, at(&ratios, 1.0 - TAIL)?);
    let outcome = match () {
        () if from > 1.0 && ratio > 1.0 + allowed => Outcome::Slower,
        () if to <= 1.0 + allowed => Outcome::NotSlower,
        () => Outcome::TooNoisy,
    };
    Some(Ratio { ratio, from, to, outcome })
}

fn resampled(rounds: &[Vec<f64>], rng: &mut Rng) -> Vec<Vec<f64>> {
    match rounds {
        [one] => vec![(0..one.len()).map(|_| one[rng.usize(..one.len())]).collect()],
        rounds => (0..rounds.len()).map(|_| rounds[rng.usize(..rounds.len())].clone()).collect(),
    }
}

fn median(values: Vec<f64>) -> Option<f64> {
    at(&values, 0.5)
}

/// A quantile by its nearest rank.
fn at(values: &[f64], quantile: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of requests around a time, each round shifted by what the machine did in it.
    fn rounds(count: usize, around: f64, round_noise: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut rng = Rng::with_seed(seed);
        let mut round = || {
            let shift = 1.0 + round_noise * (rng.f64() - 0.5);
            (0..60).map(|_| around * shift * (0.9 + 0.2 * rng.f64())).collect()
        };
        (0..count).map(|_| round()).collect()
    }

    #[test]
    fn thirty_percent_slower_is_seen_and_the_same_is_not() {
        let same = |seed| rounds(9, 10.0, 0.02, seed);
        let slower = compare(&same(1), &rounds(9, 13.0, 0.02, 2), 0.5, 0.05).expect("there are rounds");
        assert_eq!(slower.outcome, Outcome::Slower, "{slower:?}");
        assert!(slower.from < 1.3 && 1.3 < slower.to + 0.02, "{slower:?}");
        for seed in 3..13 {
            let again = compare(&same(1), &same(seed), 0.5, 0.05).expect("there are rounds");
            assert_eq!(again.outcome, Outcome::NotSlower, "{again:?}");
        }
    }

    #[test]
    fn what_noise_alone_may_do_is_never_slower() {
        for seed in 1..20 {
            let noisy = compare(&rounds(5, 10.0, 1.5, seed), &rounds(5, 10.0, 1.5, seed + 100), 0.95, 0.05);
            let noisy = noisy.expect("there are rounds");
            assert_ne!(noisy.outcome, Outcome::NotSlower, "an interval this wide proves nothing: {noisy:?}");
        }
    }

    #[test]
    fn the_same_data_gives_the_same_interval_and_none_gives_none() {
        let (first, second) = (rounds(3, 10.0, 0.1, 1), rounds(3, 11.0, 0.1, 2));
        assert_eq!(compare(&first, &second, 0.5, 0.05), compare(&first, &second, 0.5, 0.05));
        assert_eq!(compare(&[], &second, 0.5, 0.05), None);
        assert_eq!(compare(&[Vec::new()], &second, 0.5, 0.05), None);
    }
}
