//! `slow-check`: the work starts late where a contract has to be asked, which may burn what gas it likes: where the signature does not
//! prove the payer, or for whatever pays so much. Everybody else is answered at once. The money moves.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::{
    Listed, Problems, Usdc, show,
    text::{PriceText, TimeText},
    time,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "slow-check",
        "the answer, late where the signature does not prove the payer, or for whatever pays so much (at); the money moves",
        "{ by = \"6s\", only = \"unproven\" }",
    ),
    on: OnCalls::Payments,
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it needs payments whose signature proves nothing to bite" },
    compared: Compared::Not { because: "only payments that prove nothing meet it" },
};

/// Whose check takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unproven {
    /// Payments whose signature does not recover to their payer, so that a contract has to be asked.
    Unproven,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawSlowCheck {
    #[schemars(with = "TimeText")]
    by: Spanned<String>,
    only: Unproven,
    #[schemars(with = "Option<PriceText>")]
    at: Option<Spanned<String>>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowCheck {
    pub by: Duration,
    pub only: Unproven,
    /// Whatever pays this much, whoever has signed it: accounts may have code.
    pub at: Option<Usdc>,
}

impl RawSlowCheck {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<SlowCheck> {
        let by = time::check_positive(&self.by, problems)?;
        let at = match self.at {
            Some(at) => Some(Usdc::check(&at, problems)?),
            None => None,
        };
        Some(SlowCheck { by, only: self.only, at })
    }
}

impl Behaviour for SlowCheck {
    fn says(&self) -> String {
        let pays = self.at.map_or_else(String::new, |amount| format!(", and to whatever pays {amount} USDC"));
        format!("answers {} late where the signature does not prove the payer{pays}", show(self.by))
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        let pays = |amount: Usdc| {
            let paid = exchange.request.payment();
            paid.is_some_and(|paid| paid.transfer.amount() == amount.atomic().into())
        };
        if !exchange.request.is_proven(exchange.signers) || self.at.is_some_and(pays) {
            tokio::time::sleep(self.by).await;
        }
        exchange.answer().await
    }
}

#[cfg(test)]
mod tests {
    use super::{SlowCheck, Unproven};
    use crate::{
        Inject,
        testing::{Bench, IMPATIENCE, Payer, always},
    };
    use grammar::Usdc;

    fn slow(at: Option<Usdc>) -> Inject {
        Inject::SlowCheck(SlowCheck { by: 2 * IMPATIENCE, only: Unproven::Unproven, at })
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
