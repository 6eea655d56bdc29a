//! A file's rows before their types are known: cells by column, their text in one piece.

use std::fmt;

/// The content of a cell, as its file said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    /// A CSV field without quotes, which may be anything.
    Bare(&'a str),
    /// A CSV field in quotes.
    Quoted(&'a str),
    /// A JSON string.
    Text(&'a str),
    /// A JSON number, digit by digit as it was written.
    Number(&'a str),
    Boolean(bool),
    /// A JSON list or object.
    Json(&'a str),
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    at: u32,
    len: u32,
    tag: Tag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Null,
    Bare,
    Quoted,
    Text,
    Number,
    True,
    False,
    Json,
}

/// Rows of named columns.
#[derive(Debug, Default)]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Vec<Cell>>,
    rows: usize,
    text: String,
    /// The line on which each row begins; empty where rows have no lines of their own.
    lines: Vec<u32>,
}

/// Something that is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1, without the header.
    pub row: Option<usize>,
    pub line: Option<usize>,
    pub column: Option<String>,
    pub what: String,
}

/// Every problem that was found, up to [`Problems::MOST`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    pub listed: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = Vec::new();
        place.extend(self.row.map(|row| format!("row {row}")));
        place.extend(self.line.map(|line| format!("line {line}")));
        place.extend(self.column.as_ref().map(|column| format!("column {column:?}")));
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.what)
    }
}

impl Problems {
    /// More than a person reads at once.
    pub const MOST: usize = 20;

    pub fn push(&mut self, problem: Problem) {
        if self.listed.len() < Self::MOST { self.listed.push(problem) } else { self.more += 1 }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.listed.iter().enumerate() {
            write!(f, "{}{problem}", if n == 0 { "" } else { "\n" })?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl Table {
    #[must_use]
    pub fn with_columns(names: Vec<String>) -> Self {
        Self { columns: names.iter().map(|_| Vec::new()).collect(), names, ..Self::default() }
    }

    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The line on which a row, counted from 0, begins.
    #[must_use]
    pub fn line(&self, row: usize) -> Option<usize> {
        self.lines.get(row).map(|line| *line as usize)
    }

    /// The position of a column, which is made if it is not there: rows before this one have nothing in it.
    pub(crate) fn column(&mut self, name: &str) -> usize {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return at;
        }
        self.names.push(name.to_owned());
        self.columns.push(vec![Cell { at: 0, len: 0, tag: Tag::Null }; self.rows]);
        self.names.len() - 1
    }

    /// Puts a cell into the row that is being read. `false`: it has one already.
    pub(crate) fn put(&mut self, column: usize, value: Value<'_>) -> bool {
        if self.columns[column].len() > self.rows {
            return false;
        }
        let (tag, text) = match value {
            Value::Null => (Tag::Null, ""),
            Value::Bare(text) => (Tag::Bare, text),
            Value::Quoted(text) => (Tag::Quoted, text),
            Value::Text(text) => (Tag::Text, text),
            Value::Number(text) => (Tag::Number, text),
            Value::Boolean(true) => (Tag::True, ""),
            Value::Boolean(false) => (Tag::False, ""),
            Value::Json(text) => (Tag::Json, text),
        };
        let at = self.text.len() as u32;
        self.text.push_str(text);
        self.columns[column].push(Cell { at, len: text.len() as u32, tag });
        true
    }

    /// Ends the row that is being read.
    pub(crate) fn end_row(&mut self, line: Option<usize>) {
        self.rows += 1;
        for column in &mut self.columns {
            column.resize(self.rows, Cell { at: 0, len: 0, tag: Tag::Null });
        }
        self.lines.extend(line.map(|line| line as u32));
    }

    #[must_use]
    pub fn value(&self, column: usize, row: usize) -> Value<'_> {
        let Cell { at, len, tag } = self.columns[column][row];
        let text = &self.text[at as usize..(at + len) as usize];
        match tag {
            Tag::Null => Value::Null,
            Tag::Bare => Value::Bare(text),
            Tag::Quoted => Value::Quoted(text),
            Tag::Text => Value::Text(text),
            Tag::Number => Value::Number(text),
            Tag::True => Value::Boolean(true),
            Tag::False => Value::Boolean(false),
            Tag::Json => Value::Json(text),
        }
    }

    /// A problem at a cell.
    pub(crate) fn problem(&self, row: usize, column: usize, what: String) -> Problem {
        Problem { row: Some(row + 1), line: self.line(row), column: Some(self.names[column].clone()), what }
    }
}
