//! Meters by key, in a place that never grows: a key has one of a few slots, and of one more the longest untouched is
//! forgotten. What is forgotten was seldom seen, and so had nothing to be held to.

use super::meter::{self, Event, Meter, Rule, Verdict};
use x402_paywall::UnixMillis;

/// Slots that a key may lie in. With fewer, chance makes busy keys push each other out.
const WAYS: usize = 8;

/// At most so many keys, of 32 bytes each. Whoever comes with a million of them pushes out the idle ones first.
#[derive(Debug)]
pub struct Table {
    most: usize,
    /// Empty until there is something to keep.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Zero is nobody's.
    key: u64,
    meter: Meter,
}

impl Table {
    /// `most` is a multiple of the ways.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, slots: Vec::new() }
    }

    // One copy: it is called from everywhere, and the wasm's size counts.
    #[inline(never)]
    pub fn step(&mut self, key: u64, event: Event, rule: Rule, now: UnixMillis) -> Verdict {
        if self.slots.is_empty() {
            self.slots.resize(self.most, Slot::default());
        }
        let ways = self.ways(key);
        let ways = &mut self.slots[ways];
        let own = ways.iter().position(|slot| slot.key == key);
        let at = own.unwrap_or_else(|| (0..WAYS).min_by_key(|way| ways[*way].meter.at).unwrap_or_default());
        let slot = &mut ways[at];
        if own.is_none() {
            *slot = Slot { key, meter: Meter::default() };
        }
        let (meter, verdict) = meter::step(slot.meter, event, rule, now);
        slot.meter = meter;
        verdict
    }

    #[must_use]
    pub fn knows(&self, key: u64) -> bool {
        self.slots.get(self.ways(key)).is_some_and(|ways| ways.iter().any(|slot| slot.key == key))
    }

    fn ways(&self, key: u64) -> std::ops::Range<usize> {
        let first = (key % (self.most / WAYS) as u64) as usize * WAYS;
        first..first + WAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn each_key_is_counted_apart() {
        let mut table = Table::new(64);
        let rule = Rule::rate(1);
        let mut came = |key| matches!(table.step(key, Event::Came, rule, NOW), Verdict::Fits { .. });
        assert!(came(1) && came(2) && !came(1) && !came(2));
        assert!(table.knows(1) && !table.knows(3));
    }

    #[test]
    fn a_million_keys_take_no_more_room_and_do_not_hide_one_that_floods() {
        let mut table = Table::new(16_384);
        let rule = Rule::flood(100, 200);
        let mut refused = 0;
        for n in 0..1_000_000_u64 {
            let now = NOW.plus(n / 20);
            // Spread as hashes are.
            table.step(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63, Event::Came, rule, now);
            if n % 200 == 0 {
                refused += u64::from(matches!(table.step(7, Event::Came, rule, now), Verdict::TooMuch { .. }));
            }
        }
        assert_eq!(table.slots.len(), 16_384);
        assert!(refused > 4_000, "100 a second among 20,000 others: {refused} of 5,000 were refused");
    }
}
