//! `Retry-After` as RFC 9110 10.2.3 has it, and a little beyond: seconds, a fraction of them, or an HTTP date in any of the three
//! forms of section 5.6.7.
//!
//! Surprising constraint: a date is the sender's own time. It is held against the answer's `Date` where there is one, so that
//! two clocks that disagree make no wait of an hour, or none.

use chrono::{DateTime, NaiveDateTime};
use reqwest::header::HeaderMap;
use std::time::Duration;

/// The obsolete forms, which recipients must still read.
const OBSOLETE: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The longest wait that is read. It is more than any client waits, and small enough to be added to a time.
const LONGEST_S: f64 = 1e9;

/// Returns the wait before the next attempt, or `None` if the answer does not say it in a form that can be read.
/// `unix_now` is the recipient's own time.
#[must_use]
pub fn read(headers: &HeaderMap, unix_now: u64) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let said = text("retry-after")?;
    if let Some(wait) = seconds(said) {
        return Some(wait);
    }
    let until = date(said)?;
    let now = text("date").and_then(date).unwrap_or_else(|| i64::try_from(unix_now).unwrap_or(i64::MAX));
    Some(Duration::from_secs(u64::try_from(until.saturating_sub(now)).unwrap_or(0)))
}

/// Rounds a wait up to whole seconds: a client that comes too early is turned away again.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn seconds(text: &str) -> Option<Duration> {
    // Not all that Rust reads as a number is one here: signs, exponents, `inf`.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.starts_with(|c: char| c.is_ascii_digit());
    let seconds: f64 = text.parse().ok().filter(|_| plain)?;
    Some(Duration::from_secs_f64(seconds.min(LONGEST_S)))
}

/// Unix seconds.
fn date(text: &str) -> Option<i64> {
    let preferred = text.ends_with("GMT").then(|| DateTime::parse_from_rfc2822(text).ok()).flatten();
    let obsolete = || OBSOLETE.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    preferred.map(|date| date.timestamp()).or_else(|| obsolete().map(|date| date.and_utc().timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const THEN: u64 = 784_111_777;

    fn wait(headers: &[(&'static str, &'static str)], unix_now: u64) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)));
        read(&headers.collect(), unix_now)
    }

    #[test]
    fn every_form_of_the_standard_is_read() {
        let forms = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
        for form in forms {
            assert_eq!(wait(&[("retry-after", form)], THEN - 3), Some(Duration::from_secs(3)), "{form}");
            assert_eq!(wait(&[("retry-after", form)], THEN + 3), Some(Duration::ZERO), "{form}");
        }
        for (text, millis) in [("2", 2_000), ("0", 0), ("0.5", 500), (" 1.25 ", 1_250), ("3.", 3_000)] {
            assert_eq!(wait(&[("retry-after", text)], THEN), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(wait(&[("retry-after", "99999999999999999999")], THEN), Some(Duration::from_secs(1_000_000_000)));
    }

    #[test]
    fn a_date_counts_from_the_senders_own_clock() {
        let said = [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), ("date", "Sun, 06 Nov 1994 08:49:35 GMT")];
        assert_eq!(wait(&said, THEN + 3_600), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_is_neither_says_nothing() {
        for text in
            ["", "-1", "+1", "soon", "1e3", "inf", "NaN", ".5", "1.2.3", "1,5", "06 Nov 1994", "Sun, 06 Nov 1994"]
        {
            assert_eq!(wait(&[("retry-after", text)], THEN), None, "{text}");
        }
        assert_eq!(wait(&[], THEN), None);
    }

    #[test]
    fn a_part_of_a_second_is_waited_for_whole() {
        let all = [0, 1, 999, 1_000, 1_001].map(|millis| whole_seconds(Duration::from_millis(millis)));
        assert_eq!(all, [0, 1, 1, 1, 2]);
    }
}
