//! Reads a URL's query. Whatever is not understood is refused, because an answer to another question would be paid for.

use super::{
    DEFAULT_LIMIT, Filter, MAX_FILTERS, MAX_LIMIT, MAX_LISTED, MAX_QUERY_BYTES, MAX_SORT_COLUMNS, Query, QueryError,
    Sort, cursor,
};
use crate::{
    bytes::Source,
    kind::Kind,
    layout::Meta,
    read::{Column, Dataset},
};
use std::ops::Range;

/// The longest name that is held against those that there are.
const MAX_MEANT_BYTES: usize = 128;
const PARAMETERS: [&str; 4] = ["columns", "sort", "limit", "cursor"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Is,
    IsNot,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
    StartsWith,
    IsNull,
    NotNull,
}

impl Op {
    const WORDS: [(&'static str, Self); 16] = [
        ("exact", Self::Is),
        ("eq", Self::Is),
        ("not", Self::IsNot),
        ("neq", Self::IsNot),
        ("lt", Self::Less),
        ("lte", Self::AtMost),
        ("lteq", Self::AtMost),
        ("gt", Self::Greater),
        ("gte", Self::AtLeast),
        ("gteq", Self::AtLeast),
        ("in", Self::In),
        ("notin", Self::NotIn),
        ("startswith", Self::StartsWith),
        ("isnull", Self::IsNull),
        ("notnull", Self::NotNull),
        ("", Self::Is),
    ];

    fn named(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find_map(|(known, op)| (known == word).then_some(op))
    }
}

impl Query {
    /// Reads the part of a URL behind `?`.
    pub fn parse<S: Source>(text: &str, dataset: &Dataset<S>) -> Result<Self, QueryError> {
        let meta = dataset.meta();
        // Before any of it is looked at: a question that is refused is not paid for, and must not cost much.
        if text.len() > MAX_QUERY_BYTES {
            return Err(wrong("query", &format!("has {} bytes, and {MAX_QUERY_BYTES} are possible", text.len())));
        }
        let members = text.split('&').filter(|pair| !pair.is_empty()).count();
        if members > MAX_FILTERS + PARAMETERS.len() {
            let most = MAX_FILTERS + PARAMETERS.len();
            return Err(wrong("query", &format!("has {members} parameters, and {most} are possible")));
        }
        let (mut columns, mut sort, mut limit, mut cursor) = (None, None, None, None);
        let mut filters = Vec::new();
        let mut asked = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let once = |slot: &mut Option<String>| match slot.replace(value.clone()) {
                None => Ok(()),
                Some(_) => Err(wrong(&name, "is there twice")),
            };
            match name.as_str() {
                "columns" => once(&mut columns)?,
                "sort" => once(&mut sort)?,
                "limit" => once(&mut limit)?,
                "cursor" => once(&mut cursor)?,
                _ => {
                    filters.push(filter(&name, &value, dataset)?);
                    asked.push(format!("{name}={value}"));
                }
            }
        }
        if filters.len() > MAX_FILTERS {
            return Err(wrong("filter", &format!("is there {} times, and {MAX_FILTERS} are possible", filters.len())));
        }
        asked.sort_unstable();
        let bound_to = cursor::hash(&format!("{}&{}", sort.as_deref().unwrap_or_default(), asked.join("&")));
        Ok(Self {
            columns: columns.map_or_else(|| Ok((0..meta.columns.len()).collect()), |names| columns_of(&names, meta))?,
            filters,
            sort: sort.map_or_else(|| Ok(Vec::new()), |names| sort_of(&names, meta))?,
            limit: limit.map_or(Ok(DEFAULT_LIMIT), |limit| limit_of(&limit))?,
            after: cursor.map(|cursor| cursor::read(&cursor, meta, bound_to)).transpose()?,
            bound_to,
        })
    }

    pub(super) fn bound_to(&self) -> u32 {
        self.bound_to
    }
}

fn wrong(parameter: &str, what: &str) -> QueryError {
    QueryError { parameter: parameter.to_owned(), what: what.to_owned() }
}

fn limit_of(text: &str) -> Result<usize, QueryError> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| wrong("limit", &format!("is {text:?}, not a number from 1 to {MAX_LIMIT}")))
}

fn columns_of(names: &str, meta: &Meta) -> Result<Vec<usize>, QueryError> {
    let mut columns = Vec::new();
    for name in names.split(',') {
        let column = column("columns", name, meta)?;
        if columns.contains(&column) {
            return Err(wrong("columns", &format!("has {name:?} twice")));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn sort_of(names: &str, meta: &Meta) -> Result<Vec<Sort>, QueryError> {
    let mut sort: Vec<Sort> = Vec::new();
    for name in names.split(',') {
        let (is_descending, name) = name.strip_prefix('-').map_or((false, name), |name| (true, name));
        let column = column("sort", name, meta)?;
        match () {
            () if meta.columns[column].kind == Kind::Json => {
                return Err(wrong("sort", &format!("{name:?} has lists or objects, which have no order")));
            }
            () if sort.iter().any(|sort| sort.column == column) => {
                return Err(wrong("sort", &format!("has {name:?} twice")));
            }
            () if sort.len() == MAX_SORT_COLUMNS => {
                return Err(wrong("sort", &format!("has more than {MAX_SORT_COLUMNS} columns")));
            }
            () => sort.push(Sort { column, is_descending }),
        }
    }
    Ok(sort)
}

fn column(parameter: &str, name: &str, meta: &Meta) -> Result<usize, QueryError> {
    meta.column(name).ok_or_else(|| {
        let known = || meta.columns.iter().map(|column| column.name.as_str());
        let meant = match meant(name, known()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        wrong(parameter, &format!("there is no column {name:?}; {meant}"))
    })
}

fn meant<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Its cost grows with the product of both lengths.
    if text.len() > MAX_MEANT_BYTES {
        return None;
    }
    let near = |known: &str| strsim::damerau_levenshtein(&text.to_lowercase(), &known.to_lowercase());
    let (distance, known) = known.map(|known| (near(known), known)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + text.len() / 4).then_some(known)
}

/// The filter of a parameter that has no fixed name, and its column.
fn filter<S: Source>(name: &str, value: &str, dataset: &Dataset<S>) -> Result<Filter, QueryError> {
    let meta = dataset.meta();
    let (column, word, value) = if let Some(rest) = name.strip_prefix("filter[") {
        let (column_name, word) =
            rest.rsplit_once(']').ok_or_else(|| wrong(name, "is not closed: filter[column]op=value"))?;
        // ROAPI's values may be in quotes, as SQL has them.
        let plain = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        (column(name, column_name, meta)?, word, plain.unwrap_or(value))
    } else if let Some(column) = meta.column(name) {
        (column, "", value)
    } else if let Some((column_name, word)) = name.rsplit_once("__") {
        (column(name, column_name, meta)?, word, value)
    } else {
        let known = meta.columns.iter().map(|column| column.name.as_str()).chain(PARAMETERS);
        let hint = meant(name, known).map_or_else(
            || {
                format!(
                    "there are {}, column=value, column__op=value and filter[column]op=value",
                    PARAMETERS.join(", ")
                )
            },
            |meant| format!("did you mean {meant:?}?"),
        );
        return Err(wrong(name, &format!("is neither a parameter nor a column; {hint}")));
    };
    let op = Op::named(word).ok_or_else(|| {
        let words: Vec<_> = Op::WORDS.iter().map(|(word, _)| *word).filter(|word| !word.is_empty()).collect();
        wrong(name, &format!("there is no {word:?}; there are {}", words.join(", ")))
    })?;
    let codes = codes(op, value, &dataset.column(column)).map_err(|what| wrong(name, &what))?;
    Ok(Filter { column, codes })
}

fn codes<S: Source>(op: Op, value: &str, column: &Column<'_, S>) -> Result<Vec<Range<usize>>, String> {
    let (kind, first, end) = (column.meta.kind, column.meta.first_word(), column.meta.codes());
    if op == Op::IsNull || op == Op::NotNull {
        let wants = match value {
            "1" | "true" | "" => true,
            "0" | "false" => false,
            _ => return Err(format!("is {value:?}, not 1 or 0")),
        };
        return Ok(vec![if (op == Op::IsNull) == wants { 0..first } else { first..end }]);
    }
    if kind == Kind::Json {
        return Err("has lists or objects, which cannot be compared".to_owned());
    }
    if op == Op::StartsWith {
        if kind != Kind::Text {
            return Err(format!("is of type {}, and only text starts with text", kind.as_str()));
        }
        let begin = column.bound(|word| word < value);
        return Ok(one(begin..column.bound(|word| word < value || word.starts_with(value))));
    }
    if matches!(op, Op::In | Op::NotIn) {
        let mut listed = Vec::new();
        for value in value.split(',') {
            if listed.len() == MAX_LISTED {
                return Err(format!("lists more than {MAX_LISTED} values"));
            }
            listed.push(means(value, column)?);
        }
        listed.sort_unstable_by_key(|range| range.start);
        listed.dedup();
        return Ok(if op == Op::In { listed } else { but(&listed, first, end) });
    }
    let same = means(value, column)?;
    Ok(match op {
        Op::Is => vec![same],
        Op::Less => one(first..same.start),
        Op::AtMost => one(first..same.end),
        Op::Greater => one(same.end..end),
        Op::AtLeast => one(same.start..end),
        Op::IsNot | Op::In | Op::NotIn | Op::StartsWith | Op::IsNull | Op::NotNull => but(&[same], first, end),
    })
}

fn one(codes: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(codes).collect()
}

/// Codes of the values that mean this; where there are none, the place where they would be.
fn means<S: Source>(value: &str, column: &Column<'_, S>) -> Result<Range<usize>, String> {
    let kind = column.meta.kind;
    // A whole number may be compared with one that is none, or is longer than all of them.
    let read_as = if matches!(kind, Kind::Integer | Kind::Bigint | Kind::Number) { Kind::Decimal } else { kind };
    let text = read_as.check(value.into())?;
    Ok(column.codes_of(read_as, &text))
}

/// All values but these. Nothing is said of nulls, as in SQL.
fn but(listed: &[Range<usize>], first: usize, end: usize) -> Vec<Range<usize>> {
    let mut rest = Vec::new();
    let mut from = first;
    for range in listed {
        rest.push(from..range.start);
        from = range.end;
    }
    rest.push(from..end);
    rest
}

/// A name or a value as it was before it stood in a URL.
pub(crate) fn decoded(text: &str) -> Result<String, QueryError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(wrong(text, "has a % that two digits do not follow"));
                };
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong(text, "is not UTF-8"))
}
