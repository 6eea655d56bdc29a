//! Which calls of a fault's window it takes: all of them, or some by their number or by chance.

use grammar::{Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    All,
    /// The first so many calls.
    First(u64),
    /// The number of that one call, counted from 1.
    Nth(u64),
    /// Each so-manyth call.
    Every(u64),
    /// Each call by chance, drawn from the run's seed.
    Odds(Odds),
}

impl Pick {
    /// Whether the fault takes a call: the `nth` that reached the fault, counted from 1. `draw` gives a number in
    /// `0..1` from the run's seed, and is asked only where chance decides.
    pub fn takes(&self, nth: u64, draw: impl FnOnce() -> f64) -> bool {
        match *self {
            Self::All => true,
            Self::First(count) => nth <= count,
            Self::Nth(number) => nth == number,
            Self::Every(step) => nth.is_multiple_of(step),
            Self::Odds(Odds(odds)) => draw() < odds,
        }
    }
}

/// A probability above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Odds(f64);

impl Odds {
    pub fn get(self) -> f64 {
        self.0
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Pick")]
pub enum RawPick {
    /// The first so many calls.
    First(#[schemars(with = "u64", range(min = 1))] Spanned<u64>),
    /// The number of that one call, counted from 1.
    Nth(#[schemars(with = "u64", range(min = 1))] Spanned<u64>),
    /// Each so-manyth call.
    Every(#[schemars(with = "u64", range(min = 1))] Spanned<u64>),
    /// Each call by chance, drawn from the seed.
    Odds(#[schemars(with = "f64", extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))] Spanned<f64>),
}

impl RawPick {
    pub fn check(self, seed: Option<u64>, problems: &mut Problems) -> Option<Pick> {
        match self {
            Self::First(raw) => check_count(&raw, problems).map(Pick::First),
            Self::Nth(raw) => check_count(&raw, problems).map(Pick::Nth),
            Self::Every(raw) => check_count(&raw, problems).map(Pick::Every),
            Self::Odds(raw) => check_odds(&raw, seed, problems).map(Pick::Odds),
        }
    }
}

fn check_count(raw: &Spanned<u64>, problems: &mut Problems) -> Option<u64> {
    if *raw.get_ref() == 0 {
        problems.add(Problem::new(raw.span(), "calls are counted from 1", "picks no call"));
        return None;
    }
    Some(*raw.get_ref())
}

fn check_odds(raw: &Spanned<f64>, seed: Option<u64>, problems: &mut Problems) -> Option<Odds> {
    let odds = *raw.get_ref();
    if !(odds > 0.0 && odds < 1.0) {
        let problem = Problem::new(raw.span(), "odds are above 0 and below 1", "out of range");
        problems.add(problem.help("leave `pick` out to take every call"));
        return None;
    }
    check_seeded(seed, raw.span(), "a fault by chance", problems)?;
    Some(Odds(odds))
}

/// Chance in a file comes from its seed, or the file would not say what happens.
pub fn check_seeded(seed: Option<u64>, at: Range<usize>, what: &str, problems: &mut Problems) -> Option<u64> {
    if seed.is_none() {
        let problem = Problem::new(at, format!("{what} needs the scenario's seed"), "drawn from no seed");
        problems.add(problem.help("put `seed = 42` above the first table; `--seed` still overrides it"));
    }
    seed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pick: Pick) -> Vec<u64> {
        (1..=6).filter(|nth| pick.takes(*nth, || 0.5)).collect()
    }

    #[test]
    fn takes_calls_by_their_number() {
        assert_eq!(taken(Pick::All), [1, 2, 3, 4, 5, 6]);
        assert_eq!(taken(Pick::First(2)), [1, 2]);
        assert_eq!(taken(Pick::Nth(3)), [3]);
        assert_eq!(taken(Pick::Every(2)), [2, 4, 6]);
    }

    #[test]
    fn takes_calls_by_chance_only_below_the_odds() {
        assert!(taken(Pick::Odds(Odds(0.5))).is_empty());
        assert_eq!(taken(Pick::Odds(Odds(0.6))).len(), 6);
    }
}
