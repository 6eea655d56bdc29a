//! What a caller asks of the rows, in words that two well-known servers have: `columns`, `sort=a,-b`, `limit` and
//! `filter[column]op=value` are ROAPI's, `column=value` and `column__op=value` are Datasette's.

mod cursor;
mod parse;
mod run;

pub(crate) use parse::decoded;
pub use run::Page;

use std::ops::Range;

pub const DEFAULT_LIMIT: usize = 100;
pub const MAX_LIMIT: usize = 1_000;
pub const MAX_FILTERS: usize = 8;
pub const MAX_SORT_COLUMNS: usize = 4;
/// The longest question, in bytes as a URL has them. Eight filters that list fifty values each fit.
pub const MAX_QUERY_BYTES: usize = 8 * 1024;
/// Values that one `in` may list.
pub const MAX_LISTED: usize = 50;

/// A checked question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Those of the answer, in order.
    pub columns: Vec<usize>,
    pub filters: Vec<Filter>,
    pub sort: Vec<Sort>,
    pub limit: usize,
    /// The row after which the answer begins.
    pub after: Option<usize>,
    /// The query that a cursor is bound to: the filters and the order.
    bound_to: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub column: usize,
    /// Codes of the rows that pass, in order and apart.
    pub codes: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: usize,
    pub is_descending: bool,
}

/// A parameter that is wrong. Its caller is told, and pays nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {what}")]
pub struct QueryError {
    pub parameter: String,
    pub what: String,
}

#[cfg(test)]
mod tests;
