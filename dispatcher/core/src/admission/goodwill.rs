//! Purchases that went well lately, of one payer at one tenant or from one source.

use super::table::Aged;
use x402_paywall::UnixMillis;

/// The time for which a purchase speaks for its payer.
const LASTS_MS: u64 = 600_000;
/// The purchases beyond which trust grows no more.
const MOST: u32 = 1_000;

#[derive(Clone, Copy, Debug, Default)]
pub struct Goodwill {
    at: UnixMillis,
    purchases: u32,
}

impl Goodwill {
    /// Takes note of one more purchase.
    #[must_use]
    pub fn more(self, now: UnixMillis) -> Self {
        Self { at: self.at.max(now), purchases: (self.purchases(now) + 1).min(MOST) }
    }

    /// Takes note of a payment that proved worthless.
    #[must_use]
    pub fn less(self, now: UnixMillis) -> Self {
        Self { purchases: self.purchases(now) / 2, ..self }
    }

    #[must_use]
    pub fn purchases(self, now: UnixMillis) -> u32 {
        if now.since(self.at) < LASTS_MS { self.purchases } else { 0 }
    }
}

impl Aged for Goodwill {
    fn at(&self) -> UnixMillis {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn trust_grows_by_purchases_is_halved_by_what_is_worthless_and_ends_with_time() {
        let ten = (0..10).fold(Goodwill::default(), |goodwill, _| goodwill.more(NOW));
        assert_eq!((ten.purchases(NOW), ten.less(NOW).purchases(NOW)), (10, 5));
        assert_eq!(ten.purchases(NOW.plus(LASTS_MS)), 0);
        assert_eq!(ten.more(NOW.plus(LASTS_MS)).purchases(NOW.plus(LASTS_MS)), 1);
        let many = (0..10_000).fold(ten, |goodwill, _| goodwill.more(NOW));
        assert_eq!(many.purchases(NOW), MOST);
    }
}
