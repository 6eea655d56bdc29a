//! FNV-1a: a hash that is the same in every build, which the standard library's is not promised to be. Not for keys that callers
//! choose, unless its start is a secret.

/// The value that it starts with unless something else is to make it differ.
pub const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

#[must_use]
pub fn fnv1a(start: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_one() {
        assert_eq!(fnv1a(BASIS, *b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(BASIS, *b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(BASIS, *b"foobar"), 0x8594_4171_f739_67e8);
    }
}
