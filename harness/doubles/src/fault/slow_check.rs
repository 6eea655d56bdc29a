//! `slow-check`: the work starts late where the signature does not prove the payer, because a contract has to be asked, which
//! may burn what gas it likes. Everybody else is answered at once. The money moves.

use super::about::{About, Compared, Drawn, Moves};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::Listed;
use std::time::Duration;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "slow-check",
        "the answer, late where the signature does not prove the payer; the money moves",
        "{ by = \"6s\", only = \"unproven\" }",
    ),
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it needs payments whose signature proves nothing to bite" },
    compared: Compared::Not { because: "only payments that prove nothing meet it" },
};

pub async fn play(by: Duration, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    if !exchange.request.is_proven(exchange.signers) {
        tokio::time::sleep(by).await;
    }
    exchange.answer().await
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject, Unproven,
        testing::{Bench, IMPATIENCE, Payer, always},
    };

    #[tokio::test]
    async fn only_an_unproven_payer_waits() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::SlowCheck { by: 2 * IMPATIENCE, only: Unproven::Unproven })).await;
        let unproven = Payer::new(1).body(1).replace("\"value\":\"10000\"", "\"value\":\"10001\"");
        tokio::time::timeout(IMPATIENCE, bench.post_body(&double, "/verify", unproven)).await.expect_err("slow");
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
        bench.stop(double).await;
    }
}
