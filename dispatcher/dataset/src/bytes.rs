//! Bytes that a data set is read from, wherever they lie.

/// Bytes that are read where they lie: in a Worker, outside of wasm's memory.
pub trait Source {
    fn len(&self) -> usize;

    /// Fills the buffer from an offset, all of it; what lies beyond the end reads as zeros.
    fn read(&self, at: usize, into: &mut [u8]);

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> usize {
        self.len()
    }

    fn read(&self, at: usize, into: &mut [u8]) {
        into.fill(0);
        let there = self.get(at..).unwrap_or_default();
        let bytes = there.len().min(into.len());
        into[..bytes].copy_from_slice(&there[..bytes]);
    }
}
