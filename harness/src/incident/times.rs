//! Times as logs have them: Unix time in any unit, ISO 8601, and what `wrangler tail` prints for people.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Unix milliseconds of a JSON value.
pub fn of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_f64().and_then(scaled),
        Value::String(text) => of_text(text),
        _ => None,
    }
}

/// Unix milliseconds of text.
pub fn of_text(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return scaled(number);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return u64::try_from(time.timestamp_millis()).ok();
    }
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y/%m/%d %H:%M:%S%.f"];
    let text = text.trim_end_matches('Z');
    let naive = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    naive.and_then(|time| u64::try_from(time.and_utc().timestamp_millis()).ok())
}

/// Seconds, milliseconds, microseconds or nanoseconds: a number says which by its size. A small one is milliseconds of nothing.
fn scaled(number: f64) -> Option<u64> {
    let ms = match number {
        n if !n.is_finite() || n < 0.0 => return None,
        n if n >= 1e17 => n / 1e6,
        n if n >= 1e14 => n / 1e3,
        n if n >= 1e11 => n,
        n if n >= 1e8 => n * 1e3,
        n => n,
    };
    Some(ms.round() as u64)
}

/// A time before a line's JSON, and what comes after it: `2026-11-28T19:24:39.123Z {...}`, in brackets or not.
pub fn before(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().take(3).collect();
    let bare = |text: &str| text.trim_matches(['[', ']', ':', '(', ')']).to_owned();
    let joined = words.get(..2).map(|two| bare(&two.join(" ")));
    joined.iter().chain(&words.first().map(|one| bare(one))).find_map(|text| of_text(text).filter(|ms| *ms >= DAY_MS))
}

/// A date and a time of day in the order of any country: `11/28/2026, 4:00:00 PM`, `28.11.2026, 16:00:00`. No zone stands there, so
/// that it is read as UTC.
pub fn of_people(text: &str) -> Option<u64> {
    let numbers: Vec<u32> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    let [a, b, c, hour, minute, second] = numbers[..] else { return None };
    let lower = text.to_ascii_lowercase();
    let (is_pm, is_am) = (lower.contains("pm") || lower.contains("p.m"), lower.contains("am") || lower.contains("a.m"));
    let hour = match hour {
        12 if is_am => 0,
        hour if is_pm && hour < 12 => hour + 12,
        hour => hour,
    };
    let (year, month, day) = match (a, b, c) {
        (year, month, day) if year > 31 => (year, month, day),
        // A clock of twelve hours is American, and so are its dates.
        (month, day, year) if (is_am || is_pm || day > 12) && month <= 12 => (year, month, day),
        (day, month, year) => (year, month, day),
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    u64::try_from(date.and_hms_opt(hour, minute, second)?.and_utc().timestamp_millis()).ok()
}

/// A moment that a person names: as logs have it, or a time of the day on which the log begins.
pub fn named(text: &str, began_ms: u64) -> Option<u64> {
    let parts: Vec<&str> = text.trim_end_matches('Z').split(':').collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (number(hour)?, number(minute)?, 0.0),
        [hour, minute, second] if !hour.contains(['-', 'T']) => (number(hour)?, number(minute)?, second.parse().ok()?),
        _ => return of_text(text),
    };
    if hour > 23 || minute > 59 || !(0.0..60.0).contains(&second) {
        return None;
    }
    let of_day = (hour * 60 + minute) * 60_000 + (second * 1_000.0) as u64;
    Some(began_ms / DAY_MS * DAY_MS + of_day)
}

/// The moment as people and logs read it.
pub fn shown(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    time.map_or_else(|| format!("{ms} ms"), |time| time.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string())
}

/// Its time of day alone.
pub fn of_day(ms: u64) -> String {
    let second = ms / 1_000;
    format!("{:02}:{:02}:{:02}", second / 3_600 % 24, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28 16:00:00 UTC.
    const FOUR: u64 = 1_795_881_600_000;

    #[test]
    fn a_time_is_read_in_every_form_that_logs_have() {
        for text in ["1795881600", "1795881600000", "1795881600000000", "1795881600000000000", "1795881600.0"] {
            assert_eq!(of_text(text), Some(FOUR), "{text}");
        }
        for text in
            ["2026-11-28T16:00:00Z", "2026-11-28T17:00:00+01:00", "2026-11-28 16:00:00", "2026-11-28T16:00:00.000"]
        {
            assert_eq!(of_text(text), Some(FOUR), "{text}");
        }
        for text in ["11/28/2026, 4:00:00 PM", "28/11/2026, 16:00:00", "28.11.2026, 16:00:00", "2026-11-28 16:00:00"] {
            assert_eq!(of_people(text), Some(FOUR), "{text}");
        }
        for line in ["2026-11-28T16:00:00Z {\"log\"", "[2026-11-28 16:00:00] {}", "2026-11-28 16:00:00 INFO {"] {
            assert_eq!(before(line), Some(FOUR), "{line}");
        }
        assert_eq!((before("✘ {\"log\":1}"), before("12 foo"), of_text("x")), (None, None, None));
    }

    #[test]
    fn a_person_names_a_time_of_the_logs_day() {
        assert_eq!(named("16:30", FOUR), Some(FOUR + 30 * 60_000));
        assert_eq!(named("16:00:01.5", FOUR), Some(FOUR + 1_500));
        assert_eq!(named("2026-11-28T16:00:00Z", 0), Some(FOUR));
        assert_eq!((named("25:00", FOUR), named("soon", FOUR)), (None, None));
        assert_eq!((shown(FOUR), of_day(FOUR)), ("2026-11-28 16:00:00.000Z".to_owned(), "16:00:00".to_owned()));
    }
}
