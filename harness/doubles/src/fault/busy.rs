//! `busy`: 429 to whatever comes beyond so many calls in a second, as a hosted facilitator's quota has it. Of what is turned
//! away no money moves, and the rest is answered honestly.

use super::about::{About, Compared, Drawn, Moves};
use crate::{
    ask::Ask,
    reply::{JSON, Reply},
};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "busy",
        "429 to whatever comes beyond so many calls in a second; of those no money moves",
        "{ calls-per-second = 20 }",
    ),
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it needs more calls in a second than a drawn run has" },
    compared: Compared::Not { because: "it depends on how many calls come in a second" },
};

pub fn reply(calls_per_second: u64, ask: &Ask<'_>) -> Reply {
    if ask.calls_this_second > calls_per_second {
        return Reply::text(429, JSON, r#"{"message":"Too Many Requests"}"#);
    }
    ask.honest()
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn only_what_is_beyond_the_quota_is_turned_away() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Busy { calls_per_second: 2 })).await;
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
