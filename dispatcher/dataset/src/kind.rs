//! Types of columns: which text is of which, and what a column's values have in common.

use crate::{decimal::Decimal, table::Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Text,
    /// Whole numbers that every client reads exactly: at most 2^53 - 1.
    Integer,
    /// Whole numbers of any length. Strings in JSON, because clients would round them.
    Bigint,
    /// Numbers that a 64-bit float has room for.
    Number,
    /// Numbers of any length, which are strings in JSON.
    Decimal,
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339 with its offset; ordered by the moment that is meant.
    Timestamp,
    /// Lists and objects, handed out as they are. They cannot be filtered by.
    Json,
}

/// The largest whole number that is exact in every client.
const MOST_EXACT: i64 = (1 << 53) - 1;

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Integer,
        Self::Bigint,
        Self::Number,
        Self::Decimal,
        Self::Boolean,
        Self::Date,
        Self::Timestamp,
        Self::Json,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Number => "number",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The type that a JSON Schema gives its values; `None`: any.
    #[must_use]
    pub fn json_type(self) -> Option<&'static str> {
        match self {
            Self::Integer => Some("integer"),
            Self::Number => Some("number"),
            Self::Boolean => Some("boolean"),
            Self::Text | Self::Bigint | Self::Decimal | Self::Date | Self::Timestamp => Some("string"),
            Self::Json => None,
        }
    }

    /// Whether its values stand in JSON without quotes.
    #[must_use]
    pub fn is_bare_json(self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Boolean | Self::Json)
    }

    /// The text under which a value is kept, if it is of this type. `Ok(None)` is null.
    pub fn read<'a>(self, value: Value<'a>) -> Result<Option<Cow<'a, str>>, String> {
        let text = match (self, value) {
            (_, Value::Null) => return Ok(None),
            // Some programs put everything into quotes.
            (Self::Text, Value::Quoted(text)) => Cow::Borrowed(text),
            (_, Value::Quoted("")) => return Ok(None),
            (Self::Json, value) => return json(value).map(Some),
            (_, Value::Json(_)) => return Err(format!("is a list or an object, not {}", self.as_str())),
            (_, Value::Bare(text) | Value::Quoted(text) | Value::Text(text) | Value::Number(text)) => {
                Cow::Borrowed(text)
            }
            (_, Value::Boolean(true)) => Cow::Borrowed("true"),
            (_, Value::Boolean(false)) => Cow::Borrowed("false"),
        };
        self.check(text).map(Some)
    }

    /// The text under which a caller's value would be kept.
    pub fn check(self, text: Cow<'_, str>) -> Result<Cow<'_, str>, String> {
        let is = match self {
            Self::Text => true,
            Self::Integer => whole(&text).is_some_and(|whole| whole == Whole::Exact),
            Self::Bigint => whole(&text).is_some(),
            Self::Number => Decimal::parse(&text).is_some_and(|number| number.fits_float()),
            Self::Decimal => Decimal::parse(&text).is_some(),
            Self::Boolean => match boolean(&text) {
                Some(value) => return Ok(Cow::Borrowed(value)),
                None => false,
            },
            Self::Date => is_date(&text),
            Self::Timestamp => instant(&text).is_some(),
            Self::Json => serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(),
        };
        if is { Ok(text) } else { Err(format!("{} is not {}", shortened(&text), self.wanted())) }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "an integer (of at most 2^53 - 1; larger ones are of type bigint)",
            Self::Bigint => "a whole number",
            Self::Number => "a number of at most 15 digits (longer ones are of type decimal)",
            Self::Decimal => "a number, such as -12.50 or 1e9",
            Self::Boolean => "true or false",
            Self::Date => "a date, such as 2026-11-28",
            Self::Timestamp => "a time with its offset, such as 2026-11-28T19:30:00Z",
            Self::Json => "JSON",
        }
    }

    /// The narrowest type that all of a column's values have.
    #[must_use]
    pub fn of<'a>(values: impl Iterator<Item = Value<'a>>) -> Self {
        let mut seen = Seen::default();
        values.for_each(|value| seen.see(value));
        seen.kind()
    }
}

/// The values of a column so far.
#[derive(Default)]
struct Seen {
    any: bool,
    not: [bool; Kind::ALL.len()],
    strings: bool,
    others: bool,
}

impl Seen {
    fn see(&mut self, value: Value<'_>) {
        let text = match value {
            Value::Null | Value::Quoted("") => return,
            Value::Bare(text) | Value::Quoted(text) => text,
            Value::Text(text) => {
                self.strings = true;
                // A string of digits is a string.
                for kind in [Kind::Integer, Kind::Bigint, Kind::Number, Kind::Decimal, Kind::Boolean] {
                    self.not[kind as usize] = true;
                }
                text
            }
            Value::Number(text) => {
                self.others = true;
                text
            }
            Value::Boolean(value) => {
                self.others = true;
                if value { "true" } else { "false" }
            }
            Value::Json(_) => {
                self.others = true;
                self.not = [true; Kind::ALL.len()];
                ""
            }
        };
        self.any = true;
        for kind in [Kind::Boolean, Kind::Date, Kind::Timestamp] {
            let not = &mut self.not[kind as usize];
            *not = *not || kind.check(text.into()).is_err();
        }
        if !self.not[Kind::Decimal as usize] {
            match Decimal::parse(text) {
                None => [Kind::Integer, Kind::Bigint, Kind::Number, Kind::Decimal]
                    .iter()
                    .for_each(|kind| self.not[*kind as usize] = true),
                Some(number) => {
                    let whole = whole(text);
                    self.not[Kind::Bigint as usize] |= whole.is_none();
                    self.not[Kind::Integer as usize] |= whole != Some(Whole::Exact);
                    self.not[Kind::Number as usize] |= !number.fits_float();
                }
            }
        }
    }

    fn kind(&self) -> Kind {
        let narrowest =
            [Kind::Boolean, Kind::Date, Kind::Timestamp, Kind::Integer, Kind::Bigint, Kind::Number, Kind::Decimal];
        match narrowest.into_iter().find(|kind| !self.not[*kind as usize]) {
            Some(kind) if self.any => kind,
            // Strings and numbers in one column, or anything that is neither: each stays what it is.
            _ if self.others => Kind::Json,
            _ => Kind::Text,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Whole {
    Exact,
    Long,
}

/// A whole number in its one spelling: `007` is text, and so is `-0`.
fn whole(text: &str) -> Option<Whole> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = text == "0" || !digits.is_empty() && !digits.starts_with('0');
    if !is_plain || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exact = text.parse().is_ok_and(|number: i64| number.abs_diff(0) <= MOST_EXACT as u64);
    Some(if exact { Whole::Exact } else { Whole::Long })
}

fn boolean(text: &str) -> Option<&'static str> {
    match text {
        "true" | "True" | "TRUE" => Some("true"),
        "false" | "False" | "FALSE" => Some("false"),
        _ => None,
    }
}

fn json(value: Value<'_>) -> Result<Cow<'_, str>, String> {
    let quoted = |text: &str| Ok(Cow::Owned(serde_json::Value::from(text).to_string()));
    match value {
        Value::Null => Ok(Cow::Borrowed("null")),
        Value::Text(text) => quoted(text),
        Value::Number(text) | Value::Json(text) => Ok(Cow::Borrowed(text)),
        Value::Boolean(value) => Ok(Cow::Borrowed(if value { "true" } else { "false" })),
        Value::Bare(text) | Value::Quoted(text) => Kind::Json.check(text.into()),
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    shaped && {
        let (year, month, day) = (number(0..4), number(5..7), number(8..10));
        (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A moment: seconds since 1970 in UTC, and the digits of what is beyond them.
pub(crate) fn instant(text: &str) -> Option<(i64, &str)> {
    let (date, rest) = text.split_at_checked(10)?;
    if !is_date(date) || !rest.starts_with(['T', 't', ' ']) {
        return None;
    }
    let (clock, rest) = rest[1..].split_at_checked(8)?;
    let bytes = clock.as_bytes();
    let pair = |at: usize| {
        let two = clock.get(at..at + 2)?;
        two.bytes().all(|byte| byte.is_ascii_digit()).then(|| two.parse::<i64>().ok())?
    };
    let (hour, minute, second) = (pair(0)?, pair(3)?, pair(6)?);
    if bytes[2] != b':' || bytes[5] != b':' || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            rest.split_at(digits)
        }
        None => ("", rest),
    };
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let sign = match zone.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let two = |text: &str| {
                (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i64>().ok())?
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3_600 + minutes * 60)
        }
    };
    let number = |range: std::ops::Range<usize>| date[range].parse::<i64>().unwrap_or(0);
    let days = days_since_1970(number(0..4), number(5..7), number(8..10));
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second - offset, fraction.trim_end_matches('0')))
}

/// Days of the Gregorian calendar, counted in years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Kind {
        Kind::of(values.iter().map(|text| if text.is_empty() { Value::Null } else { Value::Bare(text) }))
    }

    #[test]
    fn a_column_has_the_narrowest_type_of_all_its_values() {
        for (values, kind) in [
            (&["1", "-20", ""][..], Kind::Integer),
            (&["1", "12345678901234567890"], Kind::Bigint),
            (&["1", "9007199254740992"], Kind::Bigint),
            (&["1", "2.50"], Kind::Number),
            (&["1", "2.5", "12345678901234567890"], Kind::Decimal),
            (&["0.12345678901234567"], Kind::Decimal),
            (&["007", "1"], Kind::Text),
            (&["true", "False"], Kind::Boolean),
            (&["2024-02-29", "1999-12-31"], Kind::Date),
            (&["2023-02-29"], Kind::Text),
            (&["2026-01-01T00:00:00Z", "2026-01-01 01:00:00.5+01:00"], Kind::Timestamp),
            (&["2026-01-01T00:00:00"], Kind::Text),
            (&["1", "x"], Kind::Text),
            (&["", ""], Kind::Text),
        ] {
            assert_eq!(of(values), kind, "{values:?}");
        }
    }

    #[test]
    fn json_says_what_is_a_string() {
        let kind = |values: &[Value<'static>]| Kind::of(values.iter().copied());
        assert_eq!(kind(&[Value::Text("1"), Value::Null]), Kind::Text);
        assert_eq!(kind(&[Value::Number("1"), Value::Text("1")]), Kind::Json);
        assert_eq!(kind(&[Value::Number("1"), Value::Boolean(true)]), Kind::Json);
        assert_eq!(kind(&[Value::Text("2026-01-01")]), Kind::Date);
        assert_eq!(kind(&[Value::Json("[1]"), Value::Null]), Kind::Json);
    }

    #[test]
    fn an_empty_field_in_quotes_is_text_or_null() {
        assert_eq!(Kind::Text.read(Value::Quoted("")), Ok(Some("".into())));
        assert_eq!(Kind::Integer.read(Value::Quoted("")), Ok(None));
    }

    #[test]
    fn moments_are_read_with_their_offsets() {
        assert_eq!(instant("1970-01-01T00:00:00Z"), Some((0, "")));
        assert_eq!(instant("2000-03-01T01:30:00.250+01:00"), Some((951_870_600, "25")));
        assert_eq!(instant("1969-12-31T23:59:59Z"), Some((-1, "")));
        for text in
            ["2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "é"]
        {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
