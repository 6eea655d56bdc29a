//! `slow-check`: the work starts late where a contract has to be asked, which may burn what gas it likes: where the signature does not
//! prove the payer, or for whatever pays so much. Everybody else is answered at once. The money moves.

use super::about::{About, Compared, Drawn, Moves};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::{Listed, Usdc};
use std::time::Duration;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "slow-check",
        "the answer, late where the signature does not prove the payer, or for whatever pays so much (at); the money moves",
        "{ by = \"6s\", only = \"unproven\" }",
    ),
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it needs payments whose signature proves nothing to bite" },
    compared: Compared::Not { because: "only payments that prove nothing meet it" },
};

pub async fn play(by: Duration, at: Option<Usdc>, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    let pays = |amount: Usdc| {
        let paid = exchange.request.payment();
        paid.is_some_and(|paid| paid.transfer.amount() == amount.atomic().into())
    };
    if !exchange.request.is_proven(exchange.signers) || at.is_some_and(pays) {
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
    use grammar::Usdc;

    fn slow(at: Option<Usdc>) -> Inject {
        Inject::SlowCheck { by: 2 * IMPATIENCE, only: Unproven::Unproven, at }
    }

    #[tokio::test]
    async fn who_pays_so_much_waits_whoever_has_signed() {
        let bench = Bench::new();
        let double = bench.double(always(slow(Usdc::new("0.01")))).await;
        let other = bench.double(always(slow(Usdc::new("0.02")))).await;
        tokio::time::timeout(IMPATIENCE, bench.post(&double, "/verify", 1)).await.expect_err("slow");
        assert_eq!(bench.post(&other, "/verify", 1).await.unwrap().1["isValid"], true);
    }

    #[tokio::test]
    async fn only_an_unproven_payer_waits() {
        let bench = Bench::new();
        let double = bench.double(always(slow(None))).await;
        let unproven = Payer::new(1).body(1).replace("\"value\":\"10000\"", "\"value\":\"10001\"");
        tokio::time::timeout(IMPATIENCE, bench.post_body(&double, "/verify", unproven)).await.expect_err("slow");
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
        bench.stop(double).await;
    }
}
