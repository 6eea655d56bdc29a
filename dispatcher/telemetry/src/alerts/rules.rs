//! Which alerts are on, from what was counted. Pure: whoever asks brings the figures and the time.
//!
//! Surprising: a burn counts in two windows at once. The long one says that it matters, and the short one that it still goes on, so an
//! alert ends soon after its cause.

use crate::answer::{HOUR_MS, MINUTE_MS, OBJECTIVE_PER_MILLE};
use serde::{Deserialize, Serialize};

/// An alert that is on: its name, and whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct On {
    pub name: String,
    /// A facilitator, a tenant, or nothing.
    pub about: String,
}

/// Good and bad requests of a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub good: u64,
    pub bad: u64,
}

/// A rule of burn rates: both windows burn at least so fast.
struct Burn {
    long_ms: u64,
    short_ms: u64,
    /// In tenths of what uses up the budget of thirty days in thirty days.
    tenths: u64,
}

/// 2 % of a month's budget in an hour, 5 % in six hours, 10 % in a day.
const BURNS: [Burn; 3] = [
    Burn { long_ms: HOUR_MS, short_ms: 5 * MINUTE_MS, tenths: 144 },
    Burn { long_ms: 6 * HOUR_MS, short_ms: 30 * MINUTE_MS, tenths: 60 },
    Burn { long_ms: 24 * HOUR_MS, short_ms: 2 * HOUR_MS, tenths: 30 },
];
/// Fewer bad requests in the long window are no news, whatever share they are of a quiet night.
const FEWEST_BAD: u64 = 3;
/// The age from which an open settlement is one to look at.
pub const OPEN_TOO_LONG_MS: u64 = 10 * MINUTE_MS;
/// Openings of one breaker in an hour that are flapping.
pub const FLAPS: u64 = 4;
/// The books are looked at every quarter of an hour.
pub const BOOKS_STALE_MS: u64 = HOUR_MS;

/// The spans that tallies are wanted of.
pub const SPANS_MS: [u64; 6] = [5 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// For each of [`SPANS_MS`].
    pub verify: [Tally; 6],
    pub settle: [Tally; 6],
    /// The age of the settlement that is open longest.
    pub oldest_open_ms: Option<u64>,
    /// Openings of breakers in the last hour, by facilitator.
    pub openings: Vec<(String, u64)>,
    /// Alerts of the dispatcher in the last quarter of an hour, with whom they are about.
    pub told: Vec<On>,
    /// The last look at the books: its age, and whether they balanced. `None`: there was none yet.
    pub books: Option<(u64, bool)>,
}

/// The dispatcher's own alerts that are passed on.
pub const PASSED_ON: [&str; 5] =
    ["credentials_refused", "facilitator_refuses_all", "payment_stuck", "tenant_cpu_limit", "books_mismatch"];

/// The alerts that are on.
#[must_use]
pub fn on(seen: &Seen) -> Vec<On> {
    let of = |name: &str, about: &str| On { name: name.to_owned(), about: about.to_owned() };
    let mut all = Vec::new();
    for (name, tallies) in [("verify_burn", &seen.verify), ("settle_burn", &seen.settle)] {
        if BURNS.iter().any(|burn| burns(tallies, burn)) {
            all.push(of(name, ""));
        }
    }
    if seen.oldest_open_ms.is_some_and(|age| age >= OPEN_TOO_LONG_MS) {
        all.push(of("open_too_long", ""));
    }
    let flapping = seen.openings.iter().filter(|(_, openings)| *openings >= FLAPS);
    all.extend(flapping.map(|(facilitator, _)| of("breaker_flaps", facilitator)));
    match seen.books {
        Some((age, _)) if age >= BOOKS_STALE_MS => all.push(of("books_stale", "")),
        Some((_, false)) => all.push(of("books_mismatch", "")),
        _ => {}
    }
    all.extend(seen.told.iter().filter(|told| PASSED_ON.contains(&told.name.as_str())).cloned());
    all.sort();
    all.dedup();
    all
}

fn burns(tallies: &[Tally; 6], burn: &Burn) -> bool {
    let of = |span: u64| SPANS_MS.iter().position(|own| *own == span).map_or(Tally::default(), |at| tallies[at]);
    let (long, short) = (of(burn.long_ms), of(burn.short_ms));
    // bad / all >= tenths / 10 * (1000 - objective) / 1000, in whole numbers.
    let fast = |it: Tally| {
        u128::from(it.bad) * 10_000
            >= u128::from(burn.tenths) * u128::from(1_000 - OBJECTIVE_PER_MILLE) * u128::from(it.good + it.bad)
            && it.bad > 0
    };
    long.bad >= FEWEST_BAD && fast(long) && fast(short)
}

/// The section of the runbook for an alert.
#[must_use]
pub fn runbook(name: &str) -> &'static str {
    match name {
        "verify_burn" => "docs/on-call.md#verify-fails",
        "settle_burn" => "docs/on-call.md#settlements-fail",
        "open_too_long" => "docs/on-call.md#a-settlement-stays-open",
        "breaker_flaps" => "docs/on-call.md#a-breaker-flaps",
        "books_mismatch" | "books_stale" => "docs/on-call.md#the-books-do-not-balance",
        "credentials_refused" | "facilitator_refuses_all" => "docs/on-call.md#credentials-are-refused",
        "payment_stuck" => "docs/on-call.md#an-alarm-fails",
        "tenant_cpu_limit" => "docs/on-call.md#a-tenant-burns",
        _ => "docs/on-call.md",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settle(spans: [(u64, u64); 6]) -> Seen {
        Seen { settle: spans.map(|(good, bad)| Tally { good, bad }), ..Seen::default() }
    }

    fn names(seen: &Seen) -> Vec<String> {
        on(seen).into_iter().map(|on| on.name).collect()
    }

    #[test]
    fn a_burn_is_told_while_it_goes_on_and_no_longer() {
        let quick = settle([(10, 5), (60, 20), (90, 20), (200, 20), (900, 20), (4_000, 20)]);
        assert_eq!(names(&quick), ["settle_burn"]);
        let over = settle([(15, 0), (80, 0), (90, 20), (200, 20), (900, 20), (4_000, 20)]);
        assert_eq!(names(&over), Vec::<String>::new(), "nothing was bad in any short window but the last");
        let slow = settle([(10, 0), (300, 0), (600, 0), (980, 20), (2_900, 60), (9_800, 200)]);
        assert_eq!(names(&slow), ["settle_burn"], "a fiftieth for a day");
    }

    #[test]
    fn two_failures_of_a_quiet_night_wake_nobody() {
        assert_eq!(names(&settle([(0, 2); 6])), Vec::<String>::new());
        assert_eq!(names(&settle([(0, 3); 6])), ["settle_burn"]);
    }

    #[test]
    fn each_other_rule_has_its_limit() {
        let seen = |books| Seen { books, ..Seen::default() };
        assert_eq!(names(&seen(Some((5, true)))), Vec::<String>::new());
        assert_eq!(names(&seen(Some((5, false)))), ["books_mismatch"]);
        assert_eq!(names(&seen(Some((BOOKS_STALE_MS, true)))), ["books_stale"]);
        assert_eq!(names(&seen(None)), Vec::<String>::new(), "telemetry that was just deployed");
        let open = |age| Seen { oldest_open_ms: Some(age), ..Seen::default() };
        assert_eq!((names(&open(OPEN_TOO_LONG_MS - 1)).len(), names(&open(OPEN_TOO_LONG_MS)).len()), (0, 1));
        let openings = |many| Seen { openings: vec![("primary".to_owned(), many)], ..Seen::default() };
        assert_eq!((on(&openings(FLAPS - 1)).len(), on(&openings(FLAPS))[0].about.as_str()), (0, "primary"));
        let told =
            |name: &str| Seen { told: vec![On { name: name.to_owned(), about: String::new() }; 2], ..Seen::default() };
        assert_eq!((on(&told("payment_stuck")).len(), on(&told("unpaid_flood")).len()), (1, 0));
    }

    #[test]
    fn every_alert_has_a_section_in_the_runbook() {
        let page = include_str!("../../../../docs/on-call.md");
        let own = ["verify_burn", "settle_burn", "open_too_long", "breaker_flaps", "books_stale"];
        for name in own.iter().chain(&PASSED_ON) {
            let (_, anchor) = runbook(name).split_once('#').expect("a section of its own");
            let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
            let anchors: Vec<_> = headings.map(|heading| heading.to_lowercase().replace(' ', "-")).collect();
            assert!(anchors.iter().any(|own| own == anchor), "{name}: {anchor} is none of {anchors:?}");
        }
    }

    proptest! {
        #[test]
        fn more_bad_requests_never_end_an_alert(
            spans in prop::array::uniform6((0_u64..10_000, 0_u64..1_000)), more in 0_u64..1_000
        ) {
            let before = names(&settle(spans));
            let after = names(&settle(spans.map(|(good, bad)| (good, bad + more))));
            prop_assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
        }
    }
}
