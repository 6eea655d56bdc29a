//! Spreads what would otherwise happen everywhere at once. Drawn once from the randomness port, so that a run is
//! repeated from its seed; nobody needs to be kept from guessing it.

use std::cell::Cell;

/// SplitMix64: five lines, and even enough for waiting times.
#[derive(Debug)]
pub struct Jitter(Cell<u64>);

impl Jitter {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// The next number, evenly from 0 to below 1.
    #[must_use]
    pub fn unit(&self) -> f64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 53 bits fill a double's fraction.
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_between_0_and_1_and_repeat_with_their_seed() {
        let draw = |seed| {
            let jitter = Jitter::new(seed);
            (0..1000).map(|_| jitter.unit()).collect::<Vec<_>>()
        };
        let drawn = draw(7);
        assert_eq!(drawn, draw(7));
        assert!(drawn.iter().all(|unit| (0.0..1.0).contains(unit)));
        let below = drawn.iter().filter(|unit| **unit < 0.5).count();
        assert!((400..600).contains(&below), "{below}");
    }
}
