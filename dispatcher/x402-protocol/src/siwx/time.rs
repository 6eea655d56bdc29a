//! ISO 8601 times as messages carry them (RFC 3339): strict, because a time that is read in two ways has two meanings.

/// Milliseconds since 1970. Finer fractions are cut off. `None`: it is no such time, or an earlier one.
pub(super) fn unix_ms(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 || bytes[4] != b'-' || bytes[7] != b'-' || bytes[10] != b'T' {
        return None;
    }
    if bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
    let (fraction_ms, zone) = match text[19..].strip_prefix('.') {
        None => (0, &text[19..]),
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, zone) = rest.split_at(length);
            if !(1..=9).contains(&length) {
                return None;
            }
            (digits(&format!("{fraction:0<3}")[..3])?, zone)
        }
    };
    let is_time = hour < 24 && minute < 60 && second < 60;
    if !is_time || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let seconds = days_before(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset_s(zone)?;
    u64::try_from(seconds * 1_000 + fraction_ms).ok()
}

/// The time in the form that is read here, in UTC and to the millisecond.
pub(super) fn text(unix_ms: u64) -> String {
    let (days, of_day) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    // Years of 365.2425 days give the year, or one beside it.
    let mut year = 1971 + (days as i64 * 400) / 146_097;
    while days_before(year, 1, 1) > days as i64 {
        year -= 1;
    }
    let mut rest = days as i64 - days_before(year, 1, 1);
    let mut month = 1;
    while rest >= days_in(year, month) {
        rest -= days_in(year, month);
        month += 1;
    }
    let (second, ms) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z", rest + 1)
}

/// Seconds by which the zone is ahead.
fn offset_s(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let ahead = match zone.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    (hours < 24 && minutes < 60).then_some(ahead * (hours * 3_600 + minutes * 60))
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970 to that date.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    let of_years = 365 * (year - 1970) + leap_days - (1969 / 4 - 1969 / 100 + 1969 / 400);
    of_years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_clients_write() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-28T16:23:35.123Z", 1_795_883_015_123),
            ("2026-11-28T18:23:35.1239+02:00", 1_795_883_015_123),
            ("2024-02-29T23:59:59.5Z", 1_709_251_199_500),
            ("2000-03-01T00:00:00-00:30", 951_870_600_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(unix_ms(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn refuses_what_has_two_meanings_or_none() {
        for text in [
            "",
            "now",
            "1795883015",
            "2026-11-28",
            "2026-11-28T16:23:35",
            "2026-11-28 16:23:35Z",
            "2026-11-28t16:23:35z",
            "2026-11-28T16:23Z",
            "2026-11-28T16:23:60Z",
            "2026-11-28T24:00:00Z",
            "2025-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-28T16:23:35.Z",
            "2026-11-28T16:23:35,5Z",
            "2026-11-28T16:23:35+0200",
            "2026-11-28T16:23:35+02",
            "2026-11-28T16:23:35+24:00",
            "2026-11-28T16:23:35Z ",
            "1969-12-31T23:59:59Z",
            "+026-11-28T16:23:35Z",
            "2026-11-28T16:23:+5Z",
            "２026-11-28T16:23:35Z",
        ] {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn each_day_follows_the_one_before(day in 0_i64..2_000_000) {
            // Counted one by one, from the same beginning.
            let (mut year, mut rest) = (1970, day);
            while rest >= 365 + i64::from(is_leap(year)) {
                rest -= 365 + i64::from(is_leap(year));
                year += 1;
            }
            let mut month = 1;
            while rest >= days_in(year, month) {
                rest -= days_in(year, month);
                month += 1;
            }
            prop_assert_eq!(days_before(year, month, rest + 1), day);
        }

        #[test]
        fn what_is_written_is_read(ms in 0_u64..253_402_300_800_000) {
            prop_assert_eq!(unix_ms(&text(ms)), Some(ms), "{}", text(ms));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", digits in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.0-9Z+:-]{0,12}") {
            let _ = (unix_ms(&text), unix_ms(&digits));
        }
    }
}
