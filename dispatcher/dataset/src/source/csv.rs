//! CSV after RFC 4180, with any of the usual delimiters.
//!
//! Surprising constraint: it is read here and not by a library, because a field in quotes that is empty is text, one without is
//! nothing, and the libraries do not tell them apart.

use super::{MAX_FILE_BYTES, SourceError, SourceOptions, check_names};
use crate::table::{Problem, Problems, Table, Value};
use std::borrow::Cow;

pub const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The bytes of a file that decide what its delimiter is.
const SAMPLED_RECORDS: usize = 50;
const _: () = assert!(MAX_FILE_BYTES <= u32::MAX as usize, "cells are found by 32 bits");

struct Field<'a> {
    text: Cow<'a, str>,
    is_quoted: bool,
}

/// Reads records one by one.
struct Records<'a> {
    rest: &'a str,
    delimiter: char,
    line: usize,
}

struct Record<'a> {
    line: usize,
    fields: Vec<Field<'a>>,
}

impl<'a> Records<'a> {
    fn of(text: &'a str, delimiter: char) -> Self {
        Self { rest: text, delimiter, line: 1 }
    }

    fn wrong(&self, line: usize, field: usize, what: &str) -> Problem {
        let (column, what) = (Some((field + 1).to_string()), what.to_owned());
        Problem { row: None, line: Some(line), column, what }
    }

    /// The next record that is not an empty line.
    fn next(&mut self) -> Option<Result<Record<'a>, Problem>> {
        loop {
            match line_end(self.rest) {
                0 => break,
                end => {
                    self.line += 1;
                    self.rest = &self.rest[end..];
                }
            }
        }
        (!self.rest.is_empty()).then(|| self.record())
    }

    fn record(&mut self) -> Result<Record<'a>, Problem> {
        let mut record = Record { line: self.line, fields: Vec::new() };
        loop {
            record.fields.push(self.field(record.fields.len())?);
            if let Some(rest) = self.rest.strip_prefix(self.delimiter) {
                self.rest = rest;
                continue;
            }
            let end = line_end(self.rest);
            self.line += usize::from(end > 0);
            self.rest = &self.rest[end..];
            return Ok(record);
        }
    }

    fn field(&mut self, nth: usize) -> Result<Field<'a>, Problem> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([self.delimiter, '\n', '\r']).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(Field { text: Cow::Borrowed(text), is_quoted: false });
        };
        let (began, mut text, mut rest) = (self.line, Cow::Borrowed(""), quoted);
        loop {
            let Some(end) = rest.find('"') else {
                return Err(self.wrong(began, nth, "a quote is opened here and never closed"));
            };
            let piece = &rest[..end];
            self.line += piece.matches('\n').count();
            rest = &rest[end + 1..];
            if text.is_empty() {
                text = Cow::Borrowed(piece)
            } else {
                text.to_mut().push_str(piece)
            }
            match rest.strip_prefix('"') {
                Some(after) => {
                    text.to_mut().push('"');
                    rest = after;
                }
                None => break,
            }
        }
        self.rest = rest;
        if !rest.is_empty() && !rest.starts_with([self.delimiter, '\n', '\r']) {
            return Err(self.wrong(
                self.line,
                nth,
                "something follows the closing quote; a quote within is written twice",
            ));
        }
        Ok(Field { text, is_quoted: true })
    }
}

/// How long the end of a line is with which a text begins.
fn line_end(text: &str) -> usize {
    match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

pub fn read(text: &str, options: &SourceOptions) -> Result<Table, SourceError> {
    let delimiter = options.delimiter.unwrap_or_else(|| delimiter_of(text));
    let mut records = Records::of(text, delimiter);
    let first = records.next().ok_or(SourceError::Empty)?.map_err(SourceError::one)?;
    let names: Vec<String> = match options.has_header {
        true => first.fields.iter().map(|field| field.text.trim().to_owned()).collect(),
        false => (1..=first.fields.len()).map(|n| format!("column_{n}")).collect(),
    };
    check_names(names.iter().map(String::as_str)).map_err(SourceError::one)?;
    let is_number = |name: &String| name.parse::<f64>().is_ok();
    if options.has_header && names.iter().all(is_number) {
        let what = "the header has numbers only; `--no-header` is for files whose first row is data".to_owned();
        return Err(SourceError::one(Problem { row: None, line: Some(first.line), column: None, what }));
    }
    let mut table = Table::with_columns(names);
    let mut problems = Problems::default();
    if !options.has_header {
        take(&mut table, &first, options, &mut problems);
    }
    while let Some(record) = records.next() {
        match record {
            Ok(record) => take(&mut table, &record, options, &mut problems),
            Err(problem) => {
                problems.push(Problem { row: Some(table.rows() + 1), ..problem });
                // Where the next one begins is anybody's guess.
                break;
            }
        }
    }
    if problems.is_empty() { Ok(table) } else { Err(SourceError::Rows(problems)) }
}

fn take(table: &mut Table, record: &Record<'_>, options: &SourceOptions, problems: &mut Problems) {
    let (wanted, found) = (table.names().len(), record.fields.len());
    if wanted != found {
        let what = format!("has {found} fields, and the header {wanted}");
        problems.push(Problem { row: Some(table.rows() + 1), line: Some(record.line), column: None, what });
    }
    for (column, field) in record.fields.iter().take(wanted).enumerate() {
        let is_null = field.text.is_empty() || options.nulls.iter().any(|null| *null == field.text);
        let value = match field.is_quoted {
            true => Value::Quoted(&field.text),
            false if is_null => Value::Null,
            false => Value::Bare(&field.text),
        };
        table.put(column, value);
    }
    table.end_row(Some(record.line));
}

/// The delimiter with which the first records have most fields, and as many each.
fn delimiter_of(text: &str) -> char {
    let score = |delimiter: char| {
        let mut records = Records::of(text, delimiter);
        let mut counts = Vec::new();
        while counts.len() < SAMPLED_RECORDS {
            match records.next() {
                Some(Ok(record)) => counts.push(record.fields.len()),
                Some(Err(_)) => return (false, counts.first().copied().unwrap_or(0)),
                None => break,
            }
        }
        let header = counts.first().copied().unwrap_or(0);
        (header > 1 && counts.iter().all(|count| *count == header), header)
    };
    // The first of those that are as good.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(',')
}
