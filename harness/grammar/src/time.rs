//! Times of a scenario: "250ms", "5s", "1m", "2h", "8d". Whole numbers of one unit only, so that a time is written in one way.

use super::problem::{Problem, Problems};
use std::time::Duration;
use toml::Spanned;

/// The message for a moment that cannot be.
pub struct Misplaced {
    pub after_the_run: &'static str,
    pub out_of_order: &'static str,
}

/// A moment of the run, which ends at `end`, and later than what comes before it in the file.
pub fn check_moment(
    raw: &Spanned<String>,
    before: Option<Duration>,
    end: Duration,
    told: &Misplaced,
    problems: &mut Problems,
) -> Option<Duration> {
    let at = check(raw, problems)?;
    let (what, label) = match before {
        _ if at >= end => (told.after_the_run, format!("the run ends at {}", show(end))),
        Some(before) if at <= before => (told.out_of_order, format!("the one before comes at {}", show(before))),
        _ => return Some(at),
    };
    problems.add(Problem::new(raw.span(), what, label));
    None
}

/// A stretch of the run: `from` is in it, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Duration,
    to: Duration,
}

impl Window {
    /// `None` where nothing lies between the two.
    pub fn new(from: Duration, to: Duration) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// The shortest stretch that holds `at`.
    pub fn moment(at: Duration) -> Self {
        Self { from: at, to: at + Duration::from_millis(1) }
    }

    pub fn from(&self) -> Duration {
        self.from
    }

    pub fn to(&self) -> Duration {
        self.to
    }

    pub fn length(&self) -> Duration {
        self.to - self.from
    }

    pub fn contains(&self, at: Duration) -> bool {
        self.from <= at && at < self.to
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// Inside the run, which ends at `end`.
    pub fn check(from: &Spanned<String>, to: &Spanned<String>, end: Duration, problems: &mut Problems) -> Option<Self> {
        let start = check(from, problems);
        let stop = check(to, problems)?;
        let start = start?;
        if stop > end {
            let label = format!("the run ends at {}", show(end));
            problems.add(Problem::new(to.span(), "the window reaches past the end of the run", label));
            return None;
        }
        let window = Self::new(start, stop);
        if window.is_none() {
            let label = format!("not after {}", show(start));
            problems.add(Problem::new(to.span(), "the window ends before it begins", label));
        }
        window
    }
}

/// The text in a scenario.
pub fn show(time: Duration) -> String {
    let ms = time.as_millis();
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

pub fn check(raw: &Spanned<String>, problems: &mut Problems) -> Option<Duration> {
    let text = raw.get_ref();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(24 * 3_600_000),
        _ => None,
    };
    let problem = match (number.parse::<u64>(), scale) {
        (Ok(number), Some(scale)) => match number.checked_mul(scale) {
            Some(ms) => return Some(Duration::from_millis(ms)),
            None => Problem::new(raw.span(), format!("`{text}` is too long a time"), "out of range"),
        },
        (Ok(_), None) if unit.is_empty() => {
            Problem::new(raw.span(), format!("`{text}` has no unit"), "a unit is missing")
        }
        (Ok(_), None) if !unit.starts_with(['.', ' ']) => {
            Problem::new(raw.span(), format!("`{unit}` is not a unit of time"), "unknown unit")
        }
        _ => Problem::new(raw.span(), format!("`{text}` is not a time"), "not a whole number and a unit"),
    };
    problems.add(problem.help("a whole number and one of the units ms, s, m, h, d: \"250ms\", \"5s\", \"1m\""));
    None
}

/// A time as a scenario writes it; `None` where it is written in another way or is zero.
pub fn duration(text: &str) -> Option<Duration> {
    check_positive(&Spanned::new(0..0, text.to_owned()), &mut Problems::default())
}

/// A length of time that something takes, so not zero.
pub fn check_positive(raw: &Spanned<String>, problems: &mut Problems) -> Option<Duration> {
    let time = check(raw, problems)?;
    if time.is_zero() {
        problems.add(Problem::new(raw.span(), "the time is zero", "must be longer"));
        return None;
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Duration> {
        check(&Spanned::new(0..0, text.to_owned()), &mut Problems::default())
    }

    #[test]
    fn reads_whole_numbers_of_each_unit() {
        assert_eq!(read("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read("5s"), Some(Duration::from_secs(5)));
        assert_eq!(read("1m"), Some(Duration::from_secs(60)));
        assert_eq!(read("2h"), Some(Duration::from_secs(7_200)));
        assert_eq!(read("8d"), Some(Duration::from_secs(691_200)));
    }

    #[test]
    fn refuses_what_is_not_a_number_and_a_unit() {
        for text in ["", "5", "s", "1.5s", "-1s", "5 s", "5w", "5S", "99999999999999999999s", "9999999999999999999s"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_window_holds_its_start_but_not_its_end() {
        let at = Duration::from_secs;
        let window = Window { from: at(2), to: at(4) };
        assert!(window.contains(at(2)) && !window.contains(at(4)));
        assert!(!window.overlaps(&Window { from: at(4), to: at(5) }));
        assert!(window.overlaps(&Window { from: at(3), to: at(5) }));
    }
}
