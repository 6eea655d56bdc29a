//! Networks of version 6 whose parts misbehave one after the other, so that each is held to a rule as if it were one caller.

use super::table::Aged;
use x402_paywall::UnixMillis;

/// Parts that must have misbehaved. Two may be chance, since a network may be many households'.
const SEVERAL: usize = 3;
/// The time for which a part's misbehaviour is remembered, and so for which the network is held after it.
const REMEMBERED_MS: u64 = 60_000;

/// The latest parts of one network that misbehaved, each once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neighbours {
    /// The latest first.
    parts: [Option<(u8, UnixMillis)>; SEVERAL],
}

impl Neighbours {
    /// Takes note of one more misbehaviour.
    #[must_use]
    pub fn with(self, part: u8, now: UnixMillis) -> Self {
        let [first, second, third] = self.parts;
        let is = |known: Option<(u8, UnixMillis)>| known.is_some_and(|(known, _)| known == part);
        let new = Some((part, now));
        let parts = match () {
            () if is(first) => [new, second, third],
            () if is(second) => [new, first, third],
            () => [new, first, second],
        };
        Self { parts }
    }

    /// Tells whether the network is held to rules as one.
    #[must_use]
    pub fn are_one(self, now: UnixMillis) -> bool {
        self.parts.iter().all(|part| part.is_some_and(|(_, at)| now.since(at) < REMEMBERED_MS))
    }
}

impl Aged for Neighbours {
    fn at(&self) -> UnixMillis {
        self.parts[0].map_or(UnixMillis(0), |(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn a_network_is_one_while_three_of_its_parts_have_misbehaved_lately() {
        let one = (0..100).fold(Neighbours::default(), |network, n| network.with(7, NOW.plus(n)));
        let two = one.with(8, NOW.plus(200)).with(7, NOW.plus(300)).with(8, NOW.plus(400));
        assert!(!one.are_one(NOW.plus(100)) && !two.are_one(NOW.plus(400)));
        let three = two.with(9, NOW.plus(500));
        assert!(three.are_one(NOW.plus(500)) && three.are_one(NOW.plus(300 + REMEMBERED_MS - 1)));
        assert!(!three.are_one(NOW.plus(300 + REMEMBERED_MS)), "what the first of them did is forgotten");
        assert_eq!(three.at(), NOW.plus(500));
    }
}
