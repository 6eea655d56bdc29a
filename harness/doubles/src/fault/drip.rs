//! `drip`: the head of the honest answer at once, then its body a byte at a time. The money moves.
//!
//! A client that only times out on headers waits for all of it.

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
    listed: Listed::new("drip", "the answer, a byte at a time; the money moves", "{ every = \"200ms\" }"),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it takes a call longer than a drawn window lasts" },
    compared: Compared::Not { because: "a late answer is an answer to both servers" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawDrip {
    /// Between two bytes.
    #[schemars(with = "TimeText")]
    every: Spanned<String>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drip {
    pub every: Duration,
}

impl RawDrip {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Drip> {
        Some(Drip { every: time::check_positive(&self.every, problems)? })
    }
}

impl Behaviour for Drip {
    fn says(&self) -> String {
        format!("answers a byte every {}", show(self.every))
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        let reply = exchange.honest_reply().await?;
        if exchange.caller.send(&reply.head()).await.is_err() {
            return Ok(Played::caller_gone());
        }
        for byte in &reply.body {
            if exchange.caller.gone_within(self.every).await || exchange.caller.send(&[*byte]).await.is_err() {
                return Ok(Played::caller_gone());
            }
        }
        Ok(Played::sent(&reply))
    }
}

#[cfg(test)]
mod tests {
    use super::Drip;
    use crate::{
        Inject,
        testing::{Bench, Payer, always, how},
    };
    use std::time::Duration;

    #[tokio::test]
    async fn a_dripped_answer_arrives_whole_for_who_waits() {
        let mut bench = Bench::new();
        let double = bench.double(always(Inject::Drip(Drip { every: Duration::from_millis(1) }))).await;
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        assert_eq!(how(&bench.next_call().await), "sent");
        let head =
            bench.client.post(format!("{}/verify", double.url())).body(Payer::new(1).body(1)).send().await.unwrap();
        drop(head);
        assert_eq!(how(&bench.next_call().await), "caller-gone");
        bench.stop(double).await;
    }
}
