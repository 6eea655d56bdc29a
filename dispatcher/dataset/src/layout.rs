//! How a data set lies in its file: a head that says where everything is, and then the parts.
//!
//! A column is a dictionary of its distinct values in order, each row's place in it (its code), and the rows in the order of
//! their codes, which is the index. A filter is a range of codes, and so a piece of the index.

use crate::kind::Kind;
use serde::{Deserialize, Serialize};

pub const MAGIC: &[u8; 8] = b"402claw1";
pub const FORMAT: u32 = 1;
/// Distinct values that share a beginning are told by what differs; a value is found by reading at most so many.
pub const BLOCK_WORDS: usize = 16;
/// A block ends early where its values are long.
pub const BLOCK_BYTES: usize = 4 * 1024;

/// The seller's words on the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct About {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The head.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    pub format: u32,
    /// Changes with every byte of the data.
    pub version: String,
    pub rows: usize,
    /// The column by whose values rows are asked for one by one; `None`: by their number.
    pub id: Option<usize>,
    /// How many rows anybody may see without paying.
    pub preview: usize,
    pub about: About,
    pub columns: Vec<ColumnMeta>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnMeta {
    pub name: String,
    pub kind: Kind,
    pub nulls: usize,
    pub distinct: usize,
    /// The least and the greatest value; `None` where there is none, or a long one.
    pub min: Option<String>,
    pub max: Option<String>,
    pub parts: Parts,
}

/// Offsets from the end of the head.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    pub words: usize,
    /// The beginning of each block of the dictionary, and with which value: two numbers of 32 bits each, and two for
    /// the end.
    pub blocks: usize,
    pub block_count: usize,
    pub codes: usize,
    pub order: usize,
    /// The beginning of each code's rows in the index; `None`: each code has one row.
    pub starts: Option<usize>,
}

impl ColumnMeta {
    /// How many codes there are. Null has the lowest.
    #[must_use]
    pub fn codes(&self) -> usize {
        self.distinct + self.first_word()
    }

    /// The code of the least value.
    #[must_use]
    pub fn first_word(&self) -> usize {
        usize::from(self.nulls > 0)
    }
}

impl Meta {
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
