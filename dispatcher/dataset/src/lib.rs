//! A data set that is sold by the request: read from a file when it is deployed, asked by the Worker.
//!
//! Surprising constraint: both halves are one crate, and only the second ends up in wasm. What is laid out at deploy time is
//! read there piece by piece, because a Worker's memory has no room for it twice, and its start no time to parse it.

pub mod api;
mod bits;
pub mod build;
mod bytes;
mod decimal;
mod key;
pub mod kind;
mod layout;
pub mod query;
mod read;
mod render;
pub mod source;
mod table;

pub use build::{Options, build};
pub use bytes::Source;
pub use kind::Kind;
pub use layout::{About, ColumnMeta, Meta};
pub use read::{Dataset, OpenError};
pub use source::{Format, SourceError, SourceOptions};
pub use table::{Problem, Problems, Table};

/// Whether one of two names may have been meant where the other was written.
#[must_use]
pub fn alike(one: &str, other: &str) -> bool {
    strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase()) <= 1 + one.len() / 6
}
