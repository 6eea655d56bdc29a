//! `busy`: 429 to whatever comes beyond so many calls in a second, as a hosted facilitator's quota has it. Of what is turned
//! away no money moves, and the rest is answered honestly.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{
    ask::Ask,
    reply::{JSON, Reply},
};
use grammar::{Listed, Problem, Problems, limits::MAX_BUSY_CALLS};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "busy",
        "429 to whatever comes beyond so many calls in a second; of those no money moves",
        "{ calls-per-second = 20 }",
    ),
    on: OnCalls::Payments,
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it needs more calls in a second than a drawn run has" },
    compared: Compared::Not { because: "it depends on how many calls come in a second" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawBusy {
    #[schemars(with = "u64", range(min = 1, max = MAX_BUSY_CALLS))]
    calls_per_second: Spanned<u64>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    pub calls_per_second: u64,
}

impl RawBusy {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Busy> {
        Some(Busy { calls_per_second: check_calls(&self.calls_per_second, problems)? })
    }
}

impl Behaviour for Busy {
    fn says(&self) -> String {
        format!("answers 429 beyond {} calls in a second", self.calls_per_second)
    }

    fn counts_calls(&self) -> bool {
        true
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        if ask.calls_this_second > self.calls_per_second {
            return Reply::text(429, JSON, r#"{"message":"Too Many Requests"}"#);
        }
        ask.honest()
    }
}

fn check_calls(raw: &Spanned<u64>, problems: &mut Problems) -> Option<u64> {
    if !(1..=MAX_BUSY_CALLS).contains(raw.get_ref()) {
        let what = format!("a busy facilitator takes 1 to {MAX_BUSY_CALLS} calls in a second");
        problems.add(Problem::new(raw.span(), what, "out of range"));
        return None;
    }
    Some(*raw.get_ref())
}

#[cfg(test)]
mod tests {
    use super::Busy;
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn only_what_is_beyond_the_quota_is_turned_away() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Busy(Busy { calls_per_second: 2 }))).await;
        let mut turned_away = 0;
        // More than two seconds' quota: whenever a second begins, some of these are beyond it.
        for nonce in 1..=8 {
            turned_away += usize::from(bench.post(&double, "/settle", nonce).await.unwrap().0 == 429);
        }
        let (_, transfers) = bench.stop(double).await;
        assert_eq!(turned_away + transfers, 8);
        assert!(transfers >= 2, "{transfers}");
    }
}
