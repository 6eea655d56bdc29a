//! Keys of what is counted: hashes that begin with a secret, so that no caller can choose whom it pushes out or is taken for.

use x402_paywall::fnv::{self, fnv1a};

/// The key of a list of parts. No two lists have the same bytes, because each part's length comes before it.
#[must_use]
pub fn key(seed: u64, kind: u8, parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| (part.len() as u32).to_le_bytes().into_iter().chain(part.iter().copied()));
    // Zero is nobody's.
    spread(fnv1a(seed ^ fnv::BASIS, bytes.chain([kind]))).max(1)
}

/// The key of a list of keys.
#[must_use]
pub fn joined(kind: u8, keys: &[u64]) -> u64 {
    keys.iter().fold(spread(u64::from(kind) + 1), |joined, key| spread(joined ^ key)).max(1)
}

/// Spreads what differs over all bits: the low ones choose slots, and the high ones samples.
#[must_use]
pub fn spread(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_kinds_and_seeds_make_different_keys() {
        let one = key(1, 1, &[b"ab", b"c"]);
        assert_eq!(one, key(1, 1, &[b"ab", b"c"]));
        for other in
            [key(2, 1, &[b"ab", b"c"]), key(1, 2, &[b"ab", b"c"]), key(1, 1, &[b"a", b"bc"]), key(1, 1, &[b"abc"])]
        {
            assert_ne!(one, other);
        }
        let keys = [joined(1, &[1, 2]), joined(1, &[2, 1]), joined(1, &[1]), joined(2, &[1, 2]), joined(1, &[1, 2, 0])];
        assert!((0..keys.len()).all(|n| !keys[..n].contains(&keys[n])));
    }

    #[test]
    fn addresses_that_differ_at_their_end_are_spread_evenly() {
        let high =
            (0..=255_u8).filter(|n| key(7, 1, &[format!("203.0.113.{n}").as_bytes()]).leading_zeros() > 0).count();
        assert!((96..=160).contains(&high), "{high} of 256");
    }
}
