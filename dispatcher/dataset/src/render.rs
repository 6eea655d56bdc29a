//! Rows as JSON, CSV or NDJSON.

use crate::{
    bytes::Source,
    kind::Kind,
    query::Page,
    read::{Column, Dataset},
};
use std::collections::BTreeMap;

/// A form in which rows are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Csv,
    Ndjson,
}

/// A response that is sold has at most 1 MiB: a page that would be longer ends earlier.
pub const MAX_PAGE_BYTES: usize = 900 * 1024;

/// The name under which rows that no column names are numbered.
pub const ROW_ID: &str = "rowid";

impl Form {
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The columns of an answer.
pub struct Renderer<'d, S> {
    dataset: &'d Dataset<S>,
    columns: Vec<Told<'d, S>>,
    /// Rows have a number of their own beside their columns.
    is_numbered: bool,
}

struct Told<'d, S> {
    column: Column<'d, S>,
    name: String,
    /// Values that many rows have are looked up once.
    known: BTreeMap<usize, Option<String>>,
}

impl<S: Source> Told<'_, S> {
    fn value(&mut self, row: usize) -> Option<&str> {
        let code = self.column.code(row);
        let column = &self.column;
        self.known.entry(code).or_insert_with(|| column.word(code)).as_deref()
    }
}

impl<'d, S: Source> Renderer<'d, S> {
    pub fn new(dataset: &'d Dataset<S>, columns: &[usize]) -> Self {
        let meta = dataset.meta();
        let told = columns.iter().map(|column| {
            let name = serde_json::Value::from(meta.columns[*column].name.as_str()).to_string();
            Told { column: dataset.column(*column), name, known: BTreeMap::new() }
        });
        let is_numbered = meta.id.is_none() && meta.column(ROW_ID).is_none();
        Self { dataset, columns: told.collect(), is_numbered }
    }

    /// A page, cut where it would become too long, as text.
    pub fn page(&mut self, page: Page, form: Form) -> (String, Page) {
        let mut text = match form {
            Form::Json => "{\"rows\":[".to_owned(),
            Form::Csv => self.header(),
            Form::Ndjson => String::new(),
        };
        let mut told = 0;
        for row in &page.rows {
            let before = text.len();
            match form {
                Form::Json => {
                    text += if told == 0 { "" } else { "," };
                    self.object(*row, &mut text);
                }
                Form::Csv => self.record(*row, &mut text),
                Form::Ndjson => {
                    self.object(*row, &mut text);
                    text.push('\n');
                }
            }
            if text.len() > MAX_PAGE_BYTES && told > 0 {
                text.truncate(before);
                break;
            }
            told += 1;
        }
        let page = page.cut(told);
        if form == Form::Json {
            let next = page.next(self.dataset).map_or("null".to_owned(), |next| format!("\"{next}\""));
            text += &format!("],\"next\":{next},\"total\":{}}}", page.total);
        }
        (text, page)
    }

    /// A row as a JSON object.
    pub fn object(&mut self, row: usize, into: &mut String) {
        into.push('{');
        if self.is_numbered {
            *into += &format!("\"{ROW_ID}\":{}", row + 1);
        }
        let mut is_first = !self.is_numbered;
        for told in &mut self.columns {
            *into += if is_first { "" } else { "," };
            is_first = false;
            *into += &told.name;
            into.push(':');
            let kind = told.column.meta.kind;
            match told.value(row) {
                None => *into += "null",
                Some(word) if kind.is_bare_json() => *into += word,
                Some(word) => *into += &serde_json::Value::from(word).to_string(),
            }
        }
        into.push('}');
    }

    fn header(&self) -> String {
        let number = self.is_numbered.then_some(ROW_ID);
        let names = self.columns.iter().map(|told| told.column.meta.name.as_str());
        let mut text = number.into_iter().chain(names).map(quoted).collect::<Vec<_>>().join(",");
        text += "\r\n";
        text
    }

    /// A row as a CSV record. What is null has no quotes, and empty text has them.
    pub fn record(&mut self, row: usize, into: &mut String) {
        if self.is_numbered {
            *into += &format!("{}{}", row + 1, if self.columns.is_empty() { "" } else { "," });
        }
        for (n, told) in self.columns.iter_mut().enumerate() {
            *into += if n == 0 { "" } else { "," };
            let is_text = told.column.meta.kind == Kind::Text;
            match told.value(row) {
                None => {}
                Some("") if is_text => *into += "\"\"",
                Some(word) => *into += &quoted(word),
            }
        }
        *into += "\r\n";
    }

    pub fn csv(&mut self, row: usize) -> String {
        let mut text = self.header();
        self.record(row, &mut text);
        text
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
