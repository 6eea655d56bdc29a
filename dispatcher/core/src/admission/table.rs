//! States by key, in a place that never grows: a key has one of a few slots, and of one more the longest untouched is
//! forgotten. A forgotten key was seldom seen, and so had nothing to be held to.

use x402_paywall::UnixMillis;

/// Slots that a key may lie in. With fewer, chance makes busy keys push each other out.
const WAYS: usize = 8;

/// A state that knows when it was touched last.
pub trait Aged {
    fn at(&self) -> UnixMillis;
}

/// A bounded number of keys with a state each. A caller that comes with a million of them pushes out the idle ones first.
#[derive(Debug)]
pub struct Table<S> {
    most: usize,
    /// Empty until there is something to keep.
    slots: Vec<Slot<S>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot<S> {
    /// Zero is nobody's.
    key: u64,
    state: S,
}

impl<S: Aged + Copy + Default> Table<S> {
    /// `most` is a multiple of the ways.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, slots: Vec::new() }
    }

    /// The state of a key, to be changed. A key that is not there takes the slot of the longest untouched.
    // One copy: it is called from everywhere, and the wasm's size counts.
    #[inline(never)]
    pub fn state(&mut self, key: u64) -> &mut S {
        if self.slots.is_empty() {
            self.slots.resize(self.most, Slot::default());
        }
        let ways = self.ways(key);
        let ways = &mut self.slots[ways];
        let own = ways.iter().position(|slot| slot.key == key);
        let at = own.unwrap_or_else(|| (0..WAYS).min_by_key(|way| ways[*way].state.at()).unwrap_or_default());
        let slot = &mut ways[at];
        if own.is_none() {
            *slot = Slot { key, state: S::default() };
        }
        &mut slot.state
    }

    /// The state of a key that is there.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<S> {
        self.slots.get(self.ways(key))?.iter().find(|slot| slot.key == key).map(|slot| slot.state)
    }

    pub fn forget(&mut self, key: u64) {
        let ways = self.ways(key);
        for slot in self.slots.get_mut(ways).into_iter().flatten().filter(|slot| slot.key == key) {
            *slot = Slot::default();
        }
    }

    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<S>>()
    }

    fn ways(&self, key: u64) -> std::ops::Range<usize> {
        let first = (key % (self.most / WAYS) as u64) as usize * WAYS;
        first..first + WAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::meter::{self, Event, Meter, Rule, Verdict};

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn came(table: &mut Table<Meter>, key: u64, rule: Rule, now: UnixMillis) -> bool {
        let state = table.state(key);
        let (next, verdict) = meter::step(*state, Event::Came, rule, now);
        *state = next;
        matches!(verdict, Verdict::Fits { .. })
    }

    #[test]
    fn each_key_is_counted_apart_and_can_be_forgotten() {
        let mut table = Table::new(64);
        let mut came = |key| came(&mut table, key, Rule::rate(1), NOW);
        assert!(came(1) && came(2) && !came(1) && !came(2));
        assert!(table.get(1).is_some() && table.get(3).is_none());
        table.forget(1);
        assert!(table.get(1).is_none() && table.get(2).is_some());
    }

    #[test]
    fn a_million_keys_take_no_more_room_and_do_not_hide_one_that_floods() {
        let mut table = Table::new(16_384);
        let rule = Rule::flood(100, 200);
        let mut refused = 0;
        for n in 0..1_000_000_u64 {
            let now = NOW.plus(n / 20);
            // Spread as hashes are.
            came(&mut table, n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63, rule, now);
            if n % 200 == 0 {
                refused += u64::from(!came(&mut table, 7, rule, now));
            }
        }
        assert_eq!(table.slots.len(), 16_384);
        assert!(refused > 4_000, "100 a second among 20,000 others: {refused} of 5,000 were refused");
    }
}
