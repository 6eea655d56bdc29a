//! Finds the rows of a question. Filters are pieces of indices: no value of a row is looked at to know whether it passes.

use super::{Filter, Query, Sort, cursor};
use crate::{bytes::Source, read::Dataset};
use std::{collections::BinaryHeap, ops::Range};

/// Up to so many rows are looked at one by one, where a walk through an index would cost more.
const FEW: usize = 2_000;

/// The rows of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<usize>,
    /// How many rows pass all filters, on this page or not.
    pub total: usize,
    /// There are more behind the last one.
    pub has_more: bool,
    bound_to: u32,
}

/// Rows that pass.
enum Passing {
    All(usize),
    These(Bits),
}

struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    fn of(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)], count: 0 }
    }

    fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    fn clear(&mut self, row: usize) {
        self.words[row / 64] &= !(1 << (row % 64));
    }

    fn all(rows: usize) -> Self {
        let mut words = vec![!0; rows.div_ceil(64)];
        if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(64)) {
            *last = (1 << (rows % 64)) - 1;
        }
        Self { words, count: rows }
    }

    fn has(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    fn counted(mut self) -> Self {
        self.count = self.words.iter().map(|word| word.count_ones() as usize).sum();
        self
    }

    /// Those from a row on.
    fn from(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let first = row / 64;
        self.words.iter().enumerate().skip(first).flat_map(move |(at, word)| {
            let mut left = if at == first { *word & (!0 << (row % 64)) } else { *word };
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

impl Passing {
    fn total(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::These(bits) => bits.count,
        }
    }

    fn has(&self, row: usize) -> bool {
        match self {
            Self::All(_) => true,
            Self::These(bits) => bits.has(row),
        }
    }

    fn from(&self, row: usize) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::All(rows) => Box::new(row..*rows),
            Self::These(bits) => Box::new(bits.from(row)),
        }
    }
}

impl Page {
    /// The cursor of the page behind this one.
    #[must_use]
    pub fn next<S: Source>(&self, dataset: &Dataset<S>) -> Option<String> {
        let last = self.rows.last().filter(|_| self.has_more)?;
        Some(cursor::write(dataset.meta(), self.bound_to, *last))
    }

    /// The page with so many rows fewer at its end that these are left.
    #[must_use]
    pub fn cut(mut self, rows: usize) -> Self {
        self.has_more |= rows < self.rows.len();
        self.rows.truncate(rows);
        self
    }
}

impl Query {
    pub fn run<S: Source>(&self, dataset: &Dataset<S>) -> Page {
        let passing = passing(&self.filters, dataset);
        // One more than is handed out says whether there are more.
        let wanted = self.limit + 1;
        let mut rows = match self.sort.split_first() {
            None => passing.from(self.after.map_or(0, |row| row + 1)).take(wanted).collect(),
            Some(_) if passing.total() <= FEW => self.few(&passing, wanted, dataset),
            Some((first, rest)) => self.walk(*first, rest, &passing, wanted, dataset),
        };
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        Page { rows, total: passing.total(), has_more, bound_to: self.bound_to() }
    }

    /// The keys that rows are ordered by: codes, turned round where the order is, and then the row itself.
    fn rank<S: Source>(&self, sort: &[Sort], row: usize, dataset: &Dataset<S>) -> (Vec<usize>, usize) {
        let code = |sort: &Sort| {
            let code = dataset.column(sort.column).code(row);
            if sort.is_descending { usize::MAX - code } else { code }
        };
        (sort.iter().map(code).collect(), row)
    }

    fn few<S: Source>(&self, passing: &Passing, wanted: usize, dataset: &Dataset<S>) -> Vec<usize> {
        let after = self.after.map(|row| self.rank(&self.sort, row, dataset));
        let ranks = passing.from(0).map(|row| self.rank(&self.sort, row, dataset));
        let mut ranks: Vec<_> = ranks.filter(|rank| after.as_ref().is_none_or(|after| rank > after)).collect();
        ranks.sort_unstable();
        ranks.into_iter().take(wanted).map(|(_, row)| row).collect()
    }

    /// Goes through the first column's index, code by code; rows of one code are put in order by the other columns.
    fn walk<S: Source>(
        &self,
        first: Sort,
        rest: &[Sort],
        passing: &Passing,
        wanted: usize,
        dataset: &Dataset<S>,
    ) -> Vec<usize> {
        let column = dataset.column(first.column);
        let codes = column.meta.codes();
        let (mut order, mut starts) = (column.order(), column.starts());
        let after = self.after.map(|row| (column.code(row), self.rank(rest, row, dataset)));
        let begin = after.as_ref().map_or(if first.is_descending { codes - 1 } else { 0 }, |(code, _)| *code);
        let steps = if first.is_descending { begin + 1 } else { codes - begin };
        let mut rows = Vec::new();
        for step in 0..steps {
            let code = if first.is_descending { begin - step } else { begin + step };
            let piece = starts.get(code)..starts.get(code + 1);
            let after = after.as_ref().filter(|_| step == 0).map(|(_, rank)| rank);
            let left = wanted - rows.len();
            if rest.is_empty() {
                // Rows of one code are in order already.
                let from = after.map_or(piece.start, |(_, row)| {
                    let (mut low, mut high) = (piece.start, piece.end);
                    while low < high {
                        let middle = low + (high - low) / 2;
                        if order.get(middle) as usize <= *row { low = middle + 1 } else { high = middle }
                    }
                    low
                });
                for at in from..piece.end {
                    let row = order.get(at) as usize;
                    if passing.has(row) {
                        rows.push(row);
                        if rows.len() == wanted {
                            return rows;
                        }
                    }
                }
            } else {
                let mut least = BinaryHeap::new();
                let mut others: Vec<_> =
                    rest.iter().map(|sort| (dataset.column(sort.column).codes(), sort.is_descending)).collect();
                for at in piece {
                    let row = order.get(at) as usize;
                    if !passing.has(row) {
                        continue;
                    }
                    let codes = others.iter_mut().map(|(codes, is_descending)| {
                        let code = codes.get(row) as usize;
                        if *is_descending { usize::MAX - code } else { code }
                    });
                    let rank = (codes.collect::<Vec<_>>(), row);
                    if after.is_some_and(|after| rank <= *after) || least.len() == left && least.peek() <= Some(&rank) {
                        continue;
                    }
                    least.push(rank);
                    if least.len() > left {
                        least.pop();
                    }
                }
                rows.extend(least.into_sorted_vec().into_iter().map(|(_, row)| row));
                if rows.len() == wanted {
                    return rows;
                }
            }
        }
        rows
    }
}

fn passing<S: Source>(filters: &[Filter], dataset: &Dataset<S>) -> Passing {
    let rows = dataset.meta().rows;
    let mut filters: Vec<_> = filters
        .iter()
        .map(|filter| {
            let column = dataset.column(filter.column);
            let pieces: Vec<_> =
                filter.codes.iter().filter(|codes| !codes.is_empty()).map(|codes| column.piece(codes)).collect();
            (pieces.iter().map(ExactSizeIterator::len).sum::<usize>(), pieces, filter)
        })
        .filter(|(count, ..)| *count < rows)
        .collect();
    filters.sort_by_key(|(count, ..)| *count);
    let mut passing: Option<Bits> = None;
    for (count, pieces, filter) in filters {
        let column = dataset.column(filter.column);
        let mut bits = Bits::of(rows);
        match &passing {
            Some(before) if before.count <= FEW => {
                for row in before.from(0) {
                    let code = column.code(row);
                    if filter.codes.iter().any(|codes| codes.contains(&code)) {
                        bits.set(row);
                    }
                }
            }
            before => {
                let mut order = column.order();
                if count * 2 > rows {
                    // Fewer do not pass: they are taken out.
                    bits = Bits::all(rows);
                    for at in between(&pieces, rows).into_iter().flatten() {
                        bits.clear(order.get(at) as usize);
                    }
                } else {
                    for at in pieces.into_iter().flatten() {
                        bits.set(order.get(at) as usize);
                    }
                }
                if let Some(before) = before {
                    bits.words.iter_mut().zip(&before.words).for_each(|(word, before)| *word &= before);
                }
            }
        }
        passing = Some(bits.counted());
    }
    passing.map_or(Passing::All(rows), Passing::These)
}

/// The rows that no piece of an index covers. Pieces are in order and apart.
fn between(pieces: &[Range<usize>], end: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(pieces.iter().map(|piece| piece.end));
    let ends = pieces.iter().map(|piece| piece.start).chain([end]);
    starts.zip(ends).map(|(start, end)| start..end).collect()
}
