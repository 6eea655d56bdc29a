//! JSON and NDJSON: a list of objects, or an object a line. Numbers stay as they were written, digit by digit.

use super::{SourceError, check_names};
use crate::table::{Problem, Problems, Table, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

pub fn read_list(text: &str) -> Result<Table, SourceError> {
    let mut table = Table::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = List(&mut table).deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| SourceError::one(problem(&table, &error, None)))?;
    checked(table)
}

/// Tells whether a text that was called JSON has an object a line: its first line is one, and another follows.
pub fn is_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_object = |line: &str| line.starts_with('{') && serde_json::from_str::<&RawValue>(line).is_ok();
    lines.next().is_some_and(is_object) && lines.next().is_some()
}

pub fn read_lines(text: &str) -> Result<Table, SourceError> {
    let mut table = Table::default();
    let mut problems = Problems::default();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut reader = serde_json::Deserializer::from_str(line);
        match Row(&mut table).deserialize(&mut reader).and_then(|()| reader.end()) {
            Ok(()) => table.end_row(Some(n + 1)),
            Err(error) => {
                problems.push(problem(&table, &error, Some(n + 1)));
                table.end_row(Some(n + 1));
            }
        }
    }
    if problems.is_empty() { checked(table) } else { Err(SourceError::Rows(problems)) }
}

fn checked(table: Table) -> Result<Table, SourceError> {
    check_names(table.names().iter().map(String::as_str)).map_err(SourceError::one)?;
    Ok(table)
}

fn problem(table: &Table, error: &serde_json::Error, line: Option<usize>) -> Problem {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let what = format!("{what}, at character {}", error.column());
    Problem { row: Some(table.rows() + 1), line: line.or(Some(error.line())), column: None, what }
}

struct List<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some((name, raw)) = members.next_entry::<String, &RawValue>()? {
            if raw.get().starts_with('[') {
                return Err(A::Error::custom(format!(
                    "an object is around the list: take out the list {name:?}, such as by `jq '.{name}'`"
                )));
            }
        }
        Err(A::Error::custom("one object is no list of objects: put [ and ] around it"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(Row(&mut *self.0))?.is_some() {
            self.0.end_row(None);
        }
        Ok(())
    }
}

struct Row<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, with a member for each column")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some((name, raw)) = members.next_entry::<String, &RawValue>()? {
            let column = self.0.column(&name);
            let raw = raw.get();
            let text: String;
            let value = match raw.as_bytes().first() {
                Some(b'n') => Value::Null,
                Some(b't') => Value::Boolean(true),
                Some(b'f') => Value::Boolean(false),
                Some(b'"') => {
                    text = serde_json::from_str(raw).map_err(A::Error::custom)?;
                    Value::Text(&text)
                }
                Some(b'[' | b'{') => {
                    text = without_spaces(raw);
                    Value::Json(&text)
                }
                _ => Value::Number(raw),
            };
            if !self.0.put(column, value) {
                return Err(A::Error::custom(format!("an object has {name:?} twice")));
            }
        }
        Ok(())
    }
}

/// A JSON text without what stands between its tokens.
fn without_spaces(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let is_kept = |character: &char| {
        let kept = in_string || !character.is_ascii_whitespace();
        match character {
            '"' if !is_escaped => in_string = !in_string,
            _ => {}
        }
        is_escaped = in_string && *character == '\\' && !is_escaped;
        kept
    };
    json.chars().filter(is_kept).collect()
}
