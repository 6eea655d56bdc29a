//! A laid out data set, read piece by piece from wherever it lies.

use crate::{
    bits::{self, Near, Packed},
    bytes::Source,
    key::Key,
    kind::Kind,
    layout::{ColumnMeta, FORMAT, MAGIC, Meta},
};
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("is no data set: it does not begin as one does")]
    Magic,
    #[error("has a head that cannot be read: {0}")]
    Head(String),
    #[error("has format {0}, and this version reads {FORMAT}")]
    Format(u32),
}

#[derive(Debug)]
pub struct Dataset<S> {
    meta: Meta,
    source: S,
    /// The beginnings of the parts.
    body: usize,
}

impl<S: Source> Dataset<S> {
    pub fn open(source: S) -> Result<Self, OpenError> {
        let mut begin = [0; 12];
        source.read(0, &mut begin);
        if begin[..8] != MAGIC[..] {
            return Err(OpenError::Magic);
        }
        let length = u32::from_le_bytes([begin[8], begin[9], begin[10], begin[11]]) as usize;
        if begin.len() + length > source.len() {
            return Err(OpenError::Head("it is cut off".to_owned()));
        }
        let mut head = vec![0; length];
        source.read(begin.len(), &mut head);
        let meta: Meta = serde_json::from_slice(&head).map_err(|error| OpenError::Head(error.to_string()))?;
        if meta.format != FORMAT {
            return Err(OpenError::Format(meta.format));
        }
        Ok(Self { meta, source, body: begin.len() + length })
    }

    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }

    pub(crate) fn column(&self, index: usize) -> Column<'_, S> {
        let meta = &self.meta.columns[index];
        let packed = |at: usize, width| Packed { at: self.body + at, width };
        Column {
            meta,
            source: &self.source,
            words: self.body + meta.parts.words,
            blocks: self.body + meta.parts.blocks,
            codes: packed(meta.parts.codes, bits::width(meta.codes())),
            order: packed(meta.parts.order, bits::width(self.meta.rows)),
            starts: meta.parts.starts.map(|at| packed(at, bits::width(self.meta.rows + 1))),
        }
    }
}

/// A column of an opened data set.
#[derive(Debug)]
pub(crate) struct Column<'s, S> {
    pub meta: &'s ColumnMeta,
    source: &'s S,
    words: usize,
    blocks: usize,
    codes: Packed,
    order: Packed,
    starts: Option<Packed>,
}

impl<'s, S: Source> Column<'s, S> {
    /// The code of a row.
    pub fn code(&self, row: usize) -> usize {
        self.codes.get(self.source, row) as usize
    }

    /// Codes of rows that come one after the other.
    pub fn codes(&self) -> Near<'s, S> {
        Near::new(self.codes, self.source)
    }

    /// Rows in the order of the index.
    pub fn order(&self) -> Near<'s, S> {
        Near::new(self.order, self.source)
    }

    pub fn starts(&self) -> Starts<'s, S> {
        Starts(self.starts.map(|starts| Near::new(starts, self.source)))
    }

    /// The piece of the index that has the rows of these codes.
    pub fn piece(&self, codes: &Range<usize>) -> Range<usize> {
        let start = |code| self.starts.map_or(code, |starts| starts.get(self.source, code) as usize);
        start(codes.start)..start(codes.end)
    }

    /// The only row, or the first, of a code.
    pub fn first_row(&self, code: usize) -> usize {
        self.order.get(self.source, self.piece(&(code..code + 1)).start) as usize
    }

    /// The value of a code; `None` is null.
    pub fn word(&self, code: usize) -> Option<String> {
        let word = code.checked_sub(self.meta.first_word())?;
        let block = self.block_of(|_, first| first <= word);
        let (from, first) = self.block(block);
        self.words_of(from, self.block(block + 1).0).into_iter().nth(word - first)
    }

    /// The code of the first value that does not come before: `before` is true of values up to some place, and not after it.
    pub fn bound(&self, before: impl Fn(&str) -> bool) -> usize {
        let first = self.meta.first_word();
        if self.meta.distinct == 0 {
            return first;
        }
        let block = self.block_of(|block, _| {
            let (from, _) = self.block(block);
            before(&self.word_at(from, self.block(block + 1).0))
        });
        let (from, index) = self.block(block);
        let words = self.words_of(from, self.block(block + 1).0);
        first + index + words.partition_point(|word| before(word))
    }

    /// Codes of the values that mean the same as a text, both read as this type.
    pub fn codes_of(&self, kind: Kind, text: &str) -> Range<usize> {
        let key = Key::of(kind, text);
        self.bound(|word| Key::of(kind, word) < key)..self.bound(|word| Key::of(kind, word) <= key)
    }

    /// The last block of which this is so, or the first.
    fn block_of(&self, is: impl Fn(usize, usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.meta.parts.block_count);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if is(middle, self.block(middle).1) { low = middle } else { high = middle }
        }
        low
    }

    /// The beginning of a block, and its first value's number.
    fn block(&self, block: usize) -> (usize, usize) {
        let mut bytes = [0; 8];
        self.source.read(self.blocks + block * 8, &mut bytes);
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
        (number(0), number(4))
    }

    /// The first value of a block.
    fn word_at(&self, from: usize, to: usize) -> String {
        self.words_of(from, to).swap_remove(0)
    }

    fn words_of(&self, from: usize, to: usize) -> Vec<String> {
        let mut bytes = vec![0; to - from];
        self.source.read(self.words + from, &mut bytes);
        let (mut words, mut rest, mut before) = (Vec::new(), &bytes[..], Vec::new());
        while !rest.is_empty() {
            let (shared, added) = (varint(&mut rest), varint(&mut rest));
            let (new, after) = rest.split_at(added.min(rest.len()));
            before.truncate(shared);
            before.extend_from_slice(new);
            words.push(String::from_utf8_lossy(&before).into_owned());
            rest = after;
        }
        words
    }
}

/// The beginnings of the rows of codes in the index.
pub(crate) struct Starts<'s, S>(Option<Near<'s, S>>);

impl<S: Source> Starts<'_, S> {
    #[inline]
    pub fn get(&mut self, code: usize) -> usize {
        self.0.as_mut().map_or(code, |starts| starts.get(code) as usize)
    }
}

fn varint(bytes: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 || shift > 28 {
            break;
        }
    }
    number
}
