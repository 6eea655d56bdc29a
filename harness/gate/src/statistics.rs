//! How many times as much one server costs as another, and the interval that this lies in, by the bootstrap.
//!
//! Surprising constraint: a machine's own speed changes from second to second. So the two of a pair are measured one after the
//! other and divided by each other; and of all pairs the middle half counts, because a burst can be disturbed alone.

use fastrand::Rng;

/// A fixed one: the same samples always give the same interval.
const SEED: u64 = 402;
const RESAMPLES: usize = 2_000;
/// The share of the resamples that lies below the interval, and above it: together 1 %.
const TAIL: f64 = 0.005;
/// Fewer say nothing.
const LEAST_PAIRS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
}

impl Interval {
    /// Its width beside its middle.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.high - self.low) / self.middle
    }
}

/// Returns how many times the second of each pair the first is. `None` for fewer pairs than say anything, or where the second
/// is nothing.
#[must_use]
pub fn ratio_of_pairs(pairs: &[(f64, f64)]) -> Option<Interval> {
    if pairs.len() < LEAST_PAIRS || pairs.iter().any(|pair| !(pair.0.is_finite() && pair.1.is_finite() && pair.1 > 0.0))
    {
        return None;
    }
    let mut rng = Rng::with_seed(SEED);
    let mut drawn = vec![(0.0, 0.0); pairs.len()];
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.fill_with(|| pairs[rng.usize(..pairs.len())]);
            ratio(&drawn)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| ratios[((RESAMPLES - 1) as f64 * share).round() as usize];
    Some(Interval { low: at(TAIL), middle: ratio(pairs), high: at(1.0 - TAIL) })
}

/// The mean of the middle half of the ratios.
fn ratio(pairs: &[(f64, f64)]) -> f64 {
    let mut ratios: Vec<f64> = pairs.iter().map(|pair| pair.0 / pair.1).collect();
    ratios.sort_by(f64::total_cmp);
    let quarter = ratios.len() / 4;
    let middle = &ratios[quarter..ratios.len() - quarter];
    middle.iter().sum::<f64>() / middle.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bursts of a server that costs `cost` beside one that costs 1, on a machine that is `noise` uneven.
    fn pairs(cost: f64, noise: f64, seed: u64) -> Vec<(f64, f64)> {
        let mut rng = Rng::with_seed(seed);
        let mut uneven = || 1.0 + noise * rng.f64();
        (0..40).map(|_| (cost * uneven(), uneven())).collect()
    }

    #[test]
    fn a_ratio_lies_in_its_interval() {
        for seed in 0..20 {
            let found = ratio_of_pairs(&pairs(2.0, 0.3, seed)).expect("40 pairs are enough");
            assert!(found.low <= found.middle && found.middle <= found.high, "{found:?}");
            assert!(found.low < 2.0 && found.high > 2.0 && found.spread() < 0.4, "{found:?}");
        }
    }

    #[test]
    fn an_odd_burst_moves_nothing() {
        let mut bursts = pairs(2.0, 0.02, 1);
        bursts[3].0 = 90.0;
        bursts[9].1 = 70.0;
        let found = ratio_of_pairs(&bursts).expect("40 pairs are enough");
        assert!(found.high < 2.1 && found.low > 1.9, "{found:?}");
    }

    #[test]
    fn too_little_is_no_interval() {
        assert_eq!(ratio_of_pairs(&[(1.0, 1.0); 4]), None);
        assert_eq!(ratio_of_pairs(&[(1.0, 0.0); 9]), None);
        assert_eq!(ratio_of_pairs(&[(f64::NAN, 1.0); 9]), None);
    }
}
