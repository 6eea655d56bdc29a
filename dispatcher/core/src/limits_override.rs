//! Limits of one tenant's own in place of its plan's, for a time: who decided so, why and until when stands in the record.

use crate::plan::Limits;
use serde::Deserialize;
use x402_paywall::UnixMillis;

/// The platform's own limits for an invocation.
const MAX_CPU_MS: u32 = 300_000;
const MAX_SUB_REQUESTS: u32 = 10_000;
/// More than an isolate can do: whoever writes it wants no limit.
const MAX_RATE: u32 = 1_000_000;
const MAX_TEXT_BYTES: usize = 200;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OverrideRecord {
    pub cpu_ms: u32,
    pub sub_requests: u32,
    /// Requests in ten seconds; absent: the plan's.
    #[serde(default)]
    pub tenant_rate: Option<u32>,
    #[serde(default)]
    pub payer_rate: Option<u32>,
    #[serde(default)]
    pub address_rate: Option<u32>,
    pub reason: String,
    pub author: String,
    /// `2027-01-15T08:00:00Z`.
    pub expires: String,
}

/// A checked override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    pub limits: Limits,
    /// In place of the plan's, where there is one.
    pub rates: [Option<u32>; 3],
    pub until: UnixMillis,
}

impl OverrideRecord {
    pub fn check(self) -> Result<Override, (&'static str, String)> {
        let Self { cpu_ms, sub_requests, tenant_rate, payer_rate, address_rate, reason, author, expires } = self;
        for (key, value, max) in [
            ("override.cpuMs", cpu_ms, MAX_CPU_MS),
            ("override.subRequests", sub_requests, MAX_SUB_REQUESTS),
            ("override.tenantRate", tenant_rate.unwrap_or(1), MAX_RATE),
            ("override.payerRate", payer_rate.unwrap_or(1), MAX_RATE),
            ("override.addressRate", address_rate.unwrap_or(1), MAX_RATE),
        ] {
            if !(1..=max).contains(&value) {
                return Err((key, format!("must be between 1 and {max}")));
            }
        }
        for (key, text) in [("override.reason", reason), ("override.author", author)] {
            if !(1..=MAX_TEXT_BYTES).contains(&text.len()) {
                return Err((key, format!("must have 1 to {MAX_TEXT_BYTES} bytes")));
            }
        }
        let until = utc(&expires)
            .ok_or_else(|| ("override.expires", format!("is {expires:?}, not a time like 2027-01-15T08:00:00Z")))?;
        Ok(Override { limits: Limits { cpu_ms, sub_requests }, rates: [tenant_rate, payer_rate, address_rate], until })
    }
}

/// The one form of RFC 3339 that needs no library: whole seconds, UTC.
pub(crate) fn utc(text: &str) -> Option<UnixMillis> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = |(byte, form): (&u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form };
    if text.len() != FORM.len() || !text.as_bytes().iter().zip(FORM).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in = |month| match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if year < 1970
        || !(1..=12).contains(&month)
        || !(1..=days_in(month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let leap_days = |before: u64| (before - 1) / 4 - (before - 1) / 100 + (before - 1) / 400;
    let days = (year - 1970) * 365 + leap_days(year) - leap_days(1970) + (1..month).map(days_in).sum::<u64>() + day - 1;
    Some(UnixMillis((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_one_form() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-21T10:00:00Z", 1_795_255_200),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(utc(text), Some(UnixMillis(seconds * 1_000)), "{text}");
        }
        for wrong in [
            "",
            "2027-01-15",
            "2027-01-15T08:00:00",
            "2027-01-15t08:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "2027-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2027-01-15T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2027-01-15T08:00:0\u{663}",
        ] {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        let good = || OverrideRecord {
            cpu_ms: 300,
            sub_requests: 90,
            tenant_rate: Some(MAX_RATE),
            payer_rate: None,
            address_rate: Some(1),
            reason: "launch".to_owned(),
            author: "ann".to_owned(),
            expires: "2027-01-15T08:00:00Z".to_owned(),
        };
        assert!(good().check().is_ok());
        for (key, wrong) in [
            ("override.cpuMs", OverrideRecord { cpu_ms: 0, ..good() }),
            ("override.subRequests", OverrideRecord { sub_requests: 10_001, ..good() }),
            ("override.tenantRate", OverrideRecord { tenant_rate: Some(MAX_RATE + 1), ..good() }),
            ("override.payerRate", OverrideRecord { payer_rate: Some(0), ..good() }),
            ("override.reason", OverrideRecord { reason: String::new(), ..good() }),
            ("override.author", OverrideRecord { author: "a".repeat(201), ..good() }),
            ("override.expires", OverrideRecord { expires: "tomorrow".to_owned(), ..good() }),
        ] {
            assert_eq!(wrong.check().map_err(|(key, _)| key), Err(key));
        }
    }
}
