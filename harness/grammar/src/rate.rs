//! How many arrivals are due a second: steady, or a ramp in a straight line over the window. The moment of each arrival is
//! computed from its number alone, by inverting the integral of the rate, so nothing adds up to a drift.

use super::{
    limits::MAX_RATE,
    problem::{Problem, Problems},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fmt, time::Duration};
use toml::Spanned;

/// Arrivals per second at both ends of a window; a steady rate has the same at both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    from: f64,
    to: f64,
}

/// The amount by which a product of decimal fractions may fall short of the whole number that it stands for.
const ROUNDING: f64 = 1e-6;

impl Rate {
    pub fn steady(rate: f64) -> Self {
        Self { from: rate, to: rate }
    }

    /// How many arrivals are due in a window of this length; the last one is due before its end.
    pub fn arrivals(self, length: Duration) -> u64 {
        ((self.from + self.to) / 2.0 * length.as_secs_f64() + ROUNDING).floor() as u64
    }

    /// How long after the window's start the `n`th arrival is due, counted from 0: when as many as `n` have fallen due.
    pub fn due(self, n: u64, length: Duration) -> Duration {
        if n == 0 {
            return Duration::ZERO;
        }
        let n = n as f64;
        // Of the quadratic's solution the form that does not cancel, and divides by no slope.
        let slope = (self.to - self.from) / length.as_secs_f64();
        let rate_then = (self.from * self.from + 2.0 * slope * n).max(0.0).sqrt();
        Duration::from_micros((2.0 * n / (self.from + rate_then) * 1e6) as u64)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        if from == to { write!(f, "{from} a second") } else { write!(f, "from {from} to {to} a second") }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Ramp")]
pub struct RawRamp {
    /// Arrivals per second at the window's start.
    #[schemars(with = "f64", range(min = 0.0, max = MAX_RATE))]
    from: Spanned<f64>,
    /// Arrivals per second at its end.
    #[schemars(with = "f64", range(min = 0.0, max = MAX_RATE))]
    to: Spanned<f64>,
}

/// One of the two, whose `at` is the traffic's name. Returns where it stands, too.
pub fn check(
    rate: Option<&Spanned<f64>>,
    ramp: Option<&Spanned<RawRamp>>,
    at: std::ops::Range<usize>,
    problems: &mut Problems,
) -> Option<(Rate, std::ops::Range<usize>)> {
    match (rate, ramp) {
        (Some(rate), None) => {
            if !(*rate.get_ref() > 0.0 && *rate.get_ref() <= MAX_RATE) {
                let what = format!("a rate is more than 0 and at most {MAX_RATE} arrivals per second");
                problems.add(Problem::new(rate.span(), what, "out of range"));
                return None;
            }
            Some((Rate::steady(*rate.get_ref()), rate.span()))
        }
        (None, Some(ramp)) => {
            let (from, to) = (&ramp.get_ref().from, &ramp.get_ref().to);
            let sound = [from, to].map(|end| {
                let fine = (0.0..=MAX_RATE).contains(end.get_ref());
                if !fine {
                    let what = format!("a ramp goes between 0 and {MAX_RATE} arrivals per second");
                    problems.add(Problem::new(end.span(), what, "out of range"));
                }
                fine
            });
            (sound == [true, true]).then(|| (Rate { from: *from.get_ref(), to: *to.get_ref() }, ramp.span()))
        }
        (Some(_), Some(ramp)) => {
            let problem = Problem::new(ramp.span(), "the traffic has both a rate and a ramp", "one too many");
            problems.add(problem.help("keep `rate` for a steady stream, `ramp` for one that grows or ebbs"));
            None
        }
        (None, None) => {
            let problem = Problem::new(at, "the traffic has no rate", "this traffic");
            problems.add(problem.help("add `rate = 5`, or `ramp = { from = 2, to = 20 }`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn due_s(rate: Rate, n: u64) -> f64 {
        rate.due(n, TEN).as_secs_f64()
    }

    #[test]
    fn a_steady_rate_is_due_at_even_distances() {
        let rate = Rate::steady(5.0);
        assert_eq!(rate.arrivals(TEN), 50);
        assert_eq!(rate.due(0, TEN), Duration::ZERO);
        assert_eq!(rate.due(49, TEN), Duration::from_millis(9_800));
    }

    #[test]
    fn decimal_fractions_lose_no_arrival() {
        assert_eq!(Rate::steady(0.57).arrivals(Duration::from_secs(100)), 57);
        assert_eq!(Rate::steady(0.1).arrivals(Duration::from_secs(30)), 3);
    }

    #[test]
    fn a_ramp_has_as_many_arrivals_as_its_mean_rate() {
        let up = Rate { from: 2.0, to: 20.0 };
        assert_eq!(up.arrivals(TEN), 110);
        // 2·5 + 1.8·5²/2, which is 32.5, are due by the middle.
        assert!(due_s(up, 32) < 5.0 && 5.0 < due_s(up, 33));
        // From nothing: 20·t²/20 of them by t.
        let from_nothing = Rate { from: 0.0, to: 20.0 };
        assert_eq!((due_s(from_nothing, 1), due_s(from_nothing, 25)), (1.0, 5.0));
    }

    /// The integral of the rate up to when an arrival is due is its number: to the last one, so without a drift.
    #[test]
    fn each_arrival_is_due_when_as_many_have_fallen_due() {
        for (from, to) in [(5.0, 5.0), (0.0, 40.0), (40.0, 0.0), (3.7, 900.0), (1000.0, 0.1)] {
            let rate = Rate { from, to };
            let count = rate.arrivals(TEN);
            assert!(count > 0);
            let mut before = Duration::ZERO;
            for n in 0..count {
                let due = rate.due(n, TEN);
                assert!(due >= before && due < TEN, "{rate} {n}: {due:?}");
                before = due;
                let t = due.as_secs_f64();
                let by_then = from * t + (to - from) * t * t / 20.0;
                // A microsecond of a thousand a second, at most.
                assert!((by_then - n as f64).abs() <= 0.002, "{rate} {n}: {by_then}");
            }
        }
    }
}
