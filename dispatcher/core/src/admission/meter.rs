//! How much of something came lately: a bucket that leaks. One machine for every rule, pure: level and event in, level and
//! verdict out.

use super::table::Aged;
use x402_paywall::UnixMillis;

/// One request, as levels count: a rate in ten seconds then leaks a whole number each millisecond.
const ONE: u64 = 10_000;
/// The time for which others' word is taken. It is asked for again with the next one that comes.
const FULL_ELSEWHERE_MS: u64 = 1_000;
/// The part of a rate, one in so many, from which on it is worth a word with others who count the same.
const BUSY_SHARE: u64 = 8;

/// A rule that a meter is held against, in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The requests that leak away in ten seconds: the rate that can go on for ever.
    per_10s: u32,
    /// The most at once. More is too much,
    high: u32,
    /// and stays so until the level is down here. Far apart, and whoever goes on is one episode, not many.
    low: u32,
    refused: Refused,
}

/// The level after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// Nothing: whoever asks too often gets what the rate allows.
    Free,
    /// It rises, up to this: whoever goes on asking gets nothing until it has been quiet.
    Counts { up_to: u32 },
}

/// A level, and when it was that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    pub at: UnixMillis,
    level: u64,
    is_over: bool,
}

impl Aged for Meter {
    fn at(&self) -> UnixMillis {
        self.at
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self { at: UnixMillis(0), level: 0, is_over: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// One more.
    Came,
    /// One more that counts only where it is too much already.
    Knocked,
    /// One that came turned out well: it had not come.
    WasGood,
    /// Others have seen too much of it, where this meter has not: none for a second.
    FullElsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fits {
        /// Tells whether an eighth of the rate is used up: worth a word with others who count the same.
        is_busy: bool,
    },
    TooMuch {
        /// It begins with this one.
        begins: bool,
        retry_after_ms: u64,
    },
}

impl Rule {
    /// A rate: this many in ten seconds, and as many at once.
    #[must_use]
    pub const fn rate(per_10s: u32) -> Self {
        Self { per_10s, high: per_10s, low: per_10s - 1, refused: Refused::Free }
    }

    /// An allowance of `high` at once and `per_10s` for long. A caller who asks too often gets what leaks away, and no less.
    #[must_use]
    pub const fn allowance(per_10s: u32, high: u32) -> Self {
        Self { per_10s, high, low: high - 1, refused: Refused::Free }
    }

    /// A flood is more than `high` at once, or than `per_10s` for long. It is over when the level is half of that.
    #[must_use]
    pub const fn flood(per_10s: u32, high: u32) -> Self {
        Self { per_10s, high, low: high / 2, refused: Refused::Counts { up_to: high + high / 2 } }
    }

    /// The same figures for callers who share them. The refusals of one of them do not keep out the others.
    #[must_use]
    pub const fn shared(self) -> Self {
        Self::allowance(self.per_10s, self.high)
    }

    /// The same rule for a caller who is trusted with so many more at once.
    #[must_use]
    pub const fn with_more(self, more: u32) -> Self {
        let high = self.high.saturating_add(more);
        let refused = match self.refused {
            Refused::Free => Refused::Free,
            Refused::Counts { .. } => Refused::Counts { up_to: high.saturating_add(high / 2) },
        };
        Self { high, refused, ..self }
    }
}

/// Returns the meter after the event, and what the event comes to.
#[must_use]
pub fn step(meter: Meter, event: Event, rule: Rule, now: UnixMillis) -> (Meter, Verdict) {
    let Rule { per_10s, refused, .. } = rule;
    let [per_10s, high, low] = [per_10s, rule.high, rule.low].map(u64::from);
    let (high, low) = (high * ONE, low * ONE);
    let level = meter.level.saturating_sub(now.since(meter.at).saturating_mul(per_10s));
    let was_over = meter.is_over && level > low;
    let fits = !was_over && level + ONE <= high;
    let (level, is_over) = match (event, refused) {
        (Event::Came, _) if fits => (level + ONE, false),
        (Event::Came, Refused::Free) => (level, true),
        (Event::Knocked, Refused::Counts { up_to }) if !was_over => (level.min(u64::from(up_to) * ONE), false),
        (Event::Came | Event::Knocked, Refused::Counts { up_to }) => ((level + ONE).min(u64::from(up_to) * ONE), true),
        (Event::Knocked, Refused::Free) => (level, was_over),
        (Event::WasGood, _) => (level.saturating_sub(ONE), was_over),
        (Event::FullElsewhere, _) => (high + FULL_ELSEWHERE_MS * per_10s, true),
    };
    let verdict = if is_over {
        Verdict::TooMuch { begins: !was_over, retry_after_ms: level.saturating_sub(low) / per_10s }
    } else {
        Verdict::Fits { is_busy: level > high / BUSY_SHARE }
    };
    // An outcome may be told with the time at which its request came. Were the meter set back, time would pass twice.
    (Meter { at: meter.at.max(now), level, is_over }, verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    /// Returns how many of `count`, one each `every_ms`, fit, and how often it began to be too much.
    fn arrivals(rule: Rule, count: u64, every_ms: u64) -> (u64, u64) {
        let (mut meter, mut fit, mut began) = (Meter::default(), 0, 0);
        for n in 0..count {
            let (next, verdict) = step(meter, Event::Came, rule, NOW.plus(n * every_ms));
            meter = next;
            match verdict {
                Verdict::Fits { .. } => fit += 1,
                Verdict::TooMuch { begins, .. } => began += u64::from(begins),
            }
        }
        (fit, began)
    }

    #[test]
    fn a_rate_goes_on_for_ever_and_what_is_above_it_gets_the_rate() {
        let rule = Rule::rate(100);
        assert_eq!(arrivals(rule, 1_000, 100), (1_000, 0));
        let (fit, _) = arrivals(rule, 6_000, 10);
        assert!((690..=710).contains(&fit), "60 s at ten times the rate: {fit}");
    }

    #[test]
    fn a_flood_that_goes_on_is_one_episode_and_ends_when_it_is_quiet() {
        let rule = Rule::flood(20, 100);
        let (fit, began) = arrivals(rule, 6_000, 10);
        assert!(fit <= 102 && began == 1, "{fit} {began}");
        assert_eq!(arrivals(rule, 600, 500), (600, 0), "as much as leaks away");

        let mut meter = Meter::default();
        for n in 0..300 {
            meter = step(meter, Event::Came, rule, NOW.plus(n)).0;
        }
        let at = |ms| step(meter, Event::Came, rule, NOW.plus(300 + ms)).1;
        let Verdict::TooMuch { retry_after_ms, .. } = at(0) else { panic!("it is a flood") };
        assert!(matches!(at(retry_after_ms - 1_000), Verdict::TooMuch { begins: false, .. }));
        assert!(matches!(at(retry_after_ms + 1_000), Verdict::Fits { .. }), "what it was told");
    }

    #[test]
    fn an_allowance_lets_in_what_leaks_away_however_often_it_is_asked_for() {
        let rule = Rule::allowance(10, 30);
        let (fit, _) = arrivals(rule, 6_000, 10);
        assert!((88..=91).contains(&fit), "30 at once and one a second for a minute: {fit}");
        assert_eq!(Rule::flood(10, 30).shared(), rule);
        assert_eq!(arrivals(rule.with_more(70), 200, 0).0, 100);
    }

    #[test]
    fn an_outcome_that_is_told_with_an_earlier_time_does_not_set_the_meter_back() {
        let rule = Rule::rate(10);
        let mut meter = (0..10).fold(Meter::default(), |meter, _| step(meter, Event::Came, rule, NOW.plus(9_000)).0);
        for _ in 0..20 {
            meter = step(meter, Event::Knocked, rule, NOW).0;
            let (next, verdict) = step(meter, Event::Came, rule, NOW.plus(9_000));
            assert!(matches!(verdict, Verdict::TooMuch { .. }));
            meter = next;
        }
    }

    #[test]
    fn who_knocks_prolongs_a_flood_and_begins_none() {
        let rule = Rule::flood(10, 10);
        let knock = |meter| step(meter, Event::Knocked, rule, NOW);
        let mut quiet = Meter::default();
        for _ in 0..100 {
            quiet = knock(quiet).0;
        }
        assert_eq!(knock(quiet).1, Verdict::Fits { is_busy: false });
        let mut over = quiet;
        for _ in 0..11 {
            over = step(over, Event::Came, rule, NOW).0;
        }
        let wait = |meter| match knock(meter).1 {
            Verdict::TooMuch { retry_after_ms, .. } => retry_after_ms,
            Verdict::Fits { .. } => 0,
        };
        let before = wait(over);
        over = (0..10).fold(over, |over, _| knock(over).0);
        assert!(wait(over) > before);
    }

    #[test]
    fn what_turned_out_well_had_not_come_and_what_is_full_elsewhere_waits_a_second() {
        let rule = Rule::rate(10);
        let mut meter = Meter::default();
        for _ in 0..100 {
            let (came, verdict) = step(meter, Event::Came, rule, NOW);
            assert!(matches!(verdict, Verdict::Fits { .. }));
            meter = step(came, Event::WasGood, rule, NOW).0;
        }
        let full = step(meter, Event::FullElsewhere, rule, NOW).0;
        let at = |ms| matches!(step(full, Event::Came, rule, NOW.plus(ms)).1, Verdict::Fits { .. });
        assert!(!at(0) && !at(1_000) && at(2_001));
    }

    proptest! {
        /// No more gets in, whatever comes and when, than what may come at once and what leaked away since.
        #[test]
        fn no_pattern_of_arrivals_gets_more_than_the_rate(gaps in prop::collection::vec(0_u64..500, 1..300), per_10s in 1_u32..200) {
            let (rule, mut meter, mut at, mut fit) = (Rule::rate(per_10s), Meter::default(), NOW, 0_u64);
            for gap in gaps {
                at = at.plus(gap);
                let (next, verdict) = step(meter, Event::Came, rule, at);
                meter = next;
                fit += u64::from(matches!(verdict, Verdict::Fits { .. }));
            }
            let leaked = at.since(NOW) * u64::from(per_10s) / 10_000;
            prop_assert!(fit <= u64::from(per_10s) + leaked + 1);
        }
    }
}
