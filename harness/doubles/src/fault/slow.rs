//! `slow`: the work starts late, and then is honest.
//!
//! It is done even if the caller has gone: a real facilitator with a backlog does not notice either, so the money may move
//! after the caller's time-out.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::{Listed, Problems, show, text::TimeText, time};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("slow", "the answer, late; the money moves", "{ by = \"500ms\" }"),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["slow = { by = \"300ms\" }", "slow = { by = \"1900ms\" }"]),
    compared: Compared::Not { because: "a late answer is an answer to both servers" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawSlow {
    #[schemars(with = "TimeText")]
    by: Spanned<String>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    pub by: Duration,
}

impl RawSlow {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Slow> {
        Some(Slow { by: time::check_positive(&self.by, problems)? })
    }
}

impl Behaviour for Slow {
    fn says(&self) -> String {
        format!("answers {} late", show(self.by))
    }

    fn need_not_fail(&self) -> bool {
        true
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        tokio::time::sleep(self.by).await;
        exchange.answer().await
    }
}

#[cfg(test)]
mod tests {
    use super::Slow;
    use crate::{
        Inject,
        testing::{Bench, IMPATIENCE, how, once},
    };

    #[tokio::test]
    async fn a_slow_settlement_happens_though_its_caller_has_gone() {
        let bench = Bench::new();
        let double = bench.double(once(Inject::Slow(Slow { by: 2 * IMPATIENCE }))).await;
        tokio::time::timeout(IMPATIENCE, bench.post(&double, "/settle", 1)).await.expect_err("slow");
        bench.money_moved().await;
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        let (calls, transfers) = bench.stop(double).await;
        let hows: Vec<_> = calls.iter().map(how).collect();
        assert_eq!((hows, transfers), (vec!["caller-gone", "sent"], 1));
    }
}
