//! Numbers of as many bits as the largest of them needs, one behind the other.

use crate::bytes::Source;

/// Bytes that are read at once where numbers are read in order.
const CHUNK: usize = 16 * 1024;

/// Bits that a number below `count` needs.
pub fn width(count: usize) -> u32 {
    count.saturating_sub(1).checked_ilog2().map_or(0, |log| log + 1)
}

/// Packs the numbers; seven bytes of nothing behind them, so that a reader may take eight at once.
pub fn pack(numbers: impl Iterator<Item = u32>, width: u32, into: &mut Vec<u8>) {
    let (mut held, mut bits) = (0_u64, 0);
    for number in numbers {
        held |= u64::from(number) << bits;
        bits += width;
        while bits >= 8 {
            into.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    into.push(held as u8);
    into.extend([0; 7]);
}

/// Packed numbers, somewhere in a source.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    pub at: usize,
    pub width: u32,
}

impl Packed {
    pub fn get(self, source: &impl Source, index: usize) -> u32 {
        let bit = index * self.width as usize;
        let mut bytes = [0; 8];
        source.read(self.at + bit / 8, &mut bytes);
        self.cut(u64::from_le_bytes(bytes), bit)
    }

    fn cut(self, bytes: u64, bit: usize) -> u32 {
        (bytes >> (bit % 8) & ((1 << self.width) - 1)) as u32
    }
}

/// A reader of numbers that lie near each other.
pub struct Near<'s, S> {
    packed: Packed,
    source: &'s S,
    chunk: Vec<u8>,
    /// Offset of the chunk among the packed bytes.
    from: usize,
}

impl<'s, S: Source> Near<'s, S> {
    pub fn new(packed: Packed, source: &'s S) -> Self {
        Self { packed, source, chunk: Vec::new(), from: 0 }
    }

    #[inline]
    pub fn get(&mut self, index: usize) -> u32 {
        let bit = index * self.packed.width as usize;
        let byte = bit / 8;
        if byte < self.from || byte + 8 > self.from + self.chunk.len() {
            self.load(byte);
        }
        let at = byte - self.from;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.chunk[at..at + 8]);
        self.packed.cut(u64::from_le_bytes(bytes), bit)
    }

    /// Loads what lies around: it may be read in either direction.
    fn load(&mut self, byte: usize) {
        let forwards = byte >= self.from;
        let left = self.source.len() - self.packed.at;
        self.from = if forwards { byte } else { (byte + 8).saturating_sub(CHUNK) };
        self.chunk.resize(CHUNK.min(left - self.from), 0);
        self.source.read(self.packed.at + self.from, &mut self.chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_is_read_again(numbers in prop::collection::vec(0_u32..100_000, 1..9_000), jumps in prop::collection::vec(any::<prop::sample::Index>(), 50)) {
            let width = width(100_000);
            let mut bytes = vec![9; 3];
            pack(numbers.iter().copied(), width, &mut bytes);
            let packed = Packed { at: 3, width };
            let mut near = Near::new(packed, &bytes);
            for jump in jumps {
                let at = jump.index(numbers.len());
                prop_assert_eq!(packed.get(&bytes, at), numbers[at]);
                prop_assert_eq!(near.get(at), numbers[at]);
            }
        }
    }

    #[test]
    fn a_width_has_room_for_every_number_below() {
        assert_eq!([0, 1, 2, 3, 4, 5, 256, 257, 1_000_000].map(width), [0, 0, 1, 2, 2, 3, 8, 9, 20]);
    }
}
