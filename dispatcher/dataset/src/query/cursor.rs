//! A place in an answer, to go on from. It names the data's version and the question, so that it cannot skip or repeat a row
//! of another one.

use super::QueryError;
use crate::layout::Meta;

pub fn write(meta: &Meta, bound_to: u32, row: usize) -> String {
    format!("{}-{bound_to:08x}-{row}", short(meta))
}

pub fn read(text: &str, meta: &Meta, bound_to: u32) -> Result<usize, QueryError> {
    let wrong = |what: &str| QueryError { parameter: "cursor".to_owned(), what: what.to_owned() };
    let mut parts = text.splitn(3, '-');
    let (Some(version), Some(question), Some(row)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong("is not one that was handed out; take `next` of the page before"));
    };
    if version != short(meta) {
        return Err(wrong("is of another version of the data set; begin again without it"));
    }
    if u32::from_str_radix(question, 16) != Ok(bound_to) {
        return Err(wrong("is of a question with other filters or another order; begin again without it"));
    }
    let row = row.parse().ok().filter(|row| *row < meta.rows);
    row.ok_or_else(|| wrong("is not one that was handed out; take `next` of the page before"))
}

fn short(meta: &Meta) -> &str {
    meta.version.get(..8).unwrap_or(&meta.version)
}

/// FNV-1a.
pub fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
