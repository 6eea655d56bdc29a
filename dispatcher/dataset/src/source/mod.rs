//! Files as sellers have them, read into a table. Whatever could be read in two ways is refused with its place.

mod csv;
mod encoding;
mod json;

pub use csv::DELIMITERS;
pub use encoding::Encoding;

use crate::table::{Problem, Problems, Table};
use std::collections::BTreeSet;

pub const MAX_FILE_BYTES: usize = 1 << 30;
const MAX_NAME_BYTES: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    /// A list of objects.
    Json,
    /// An object a line.
    Ndjson,
}

#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// `None`: by the first character.
    pub format: Option<Format>,
    /// `None`: by the mark at the beginning, or UTF-8.
    pub encoding: Option<Encoding>,
    /// `None`: the one of [`DELIMITERS`] that makes rows of one length.
    pub delimiter: Option<char>,
    pub has_header: bool,
    /// Fields without quotes that mean nothing, besides empty ones.
    pub nulls: Vec<String>,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self { format: None, encoding: None, delimiter: None, has_header: true, nulls: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("the file is empty")]
    Empty,
    #[error("the file has {0} bytes, and at most {MAX_FILE_BYTES} are read")]
    Size(usize),
    #[error("line {line}, column {column}: byte 0x{byte:02x} is not {encoding}")]
    Encoding { line: usize, column: usize, byte: u8, encoding: &'static str },
    #[error("the file has an odd number of bytes, which UTF-16 has not")]
    OddBytes,
    #[error("{0}")]
    Rows(Problems),
}

impl SourceError {
    pub(crate) fn one(problem: Problem) -> Self {
        Self::Rows(Problems { listed: vec![problem], more: 0 })
    }
}

impl Format {
    /// The kind that a file's name says.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "tab" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }

    fn of_text(text: &str) -> Self {
        match text.trim_start().bytes().next() {
            Some(b'[') => Self::Json,
            Some(b'{') => Self::Ndjson,
            _ => Self::Csv,
        }
    }
}

/// Reads a file's bytes.
pub fn read(bytes: &[u8], options: &SourceOptions) -> Result<Table, SourceError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(SourceError::Size(bytes.len()));
    }
    let text = encoding::decode(bytes, options.encoding)?;
    // Tools that put one mark before another are not rare, and no name begins with one.
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(SourceError::Empty);
    }
    match options.format.unwrap_or_else(|| Format::of_text(text)) {
        Format::Csv => csv::read(text, options),
        Format::Json if json::is_lines(text) => json::read_lines(text),
        Format::Json => json::read_list(text),
        Format::Ndjson => json::read_lines(text),
    }
}

/// Column names that a query can ask for. The error names the one that is wrong.
fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for (at, name) in names.enumerate() {
        let wrong =
            |what: String| Err(Problem { row: None, line: None, column: Some(format!("{} ({name})", at + 1)), what });
        match name {
            "" => return wrong("has no name; `--no-header` is for files whose first row is data".to_owned()),
            _ if name.len() > MAX_NAME_BYTES => {
                return wrong(format!("has a name of more than {MAX_NAME_BYTES} bytes"));
            }
            _ if name.chars().any(char::is_control) => return wrong("has a control character in its name".to_owned()),
            _ if name.contains(['[', ']', ',']) => {
                return wrong("has [, ] or a comma in its name, which queries use".to_owned());
            }
            _ if !seen.insert(name) => return wrong("has the name of a column before it".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
