//! `throws`: HTTP 500 and a line of text for whatever the official library throws at: a signature that is not its payer's by the
//! key alone, and a payload with both kinds of authorization, be one of them null. The money stays.
//!
//! The library's own example answers so, and nothing is wrong with a facilitator that does: its caller sent the payment.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{ask::Ask, reply::Reply};
use grammar::{Listed, Problems, Usdc, text::PriceText};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "throws",
        "500 and a line of text where the official library throws: signatures and payloads that it does not expect, or \
         whatever pays so much (at); no money moves",
        "{}",
    ),
    on: OnCalls::Payments,
    moves: Moves::Never,
    swarm: Drawn::Not { because: "it needs what a stranger sends to bite" },
    compared: Compared::Not { because: "only payments that the client there never sends meet it" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawThrows {
    #[schemars(with = "Option<PriceText>")]
    at: Option<Spanned<String>>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throws {
    /// Whatever pays this much, in place of what the library throws at.
    pub at: Option<Usdc>,
}

impl RawThrows {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Throws> {
        let at = match self.at {
            Some(at) => Some(Usdc::check(&at, problems)?),
            None => None,
        };
        Some(Throws { at })
    }
}

impl Behaviour for Throws {
    fn says(&self) -> String {
        match self.at {
            None => "answers 500 where the official library throws".to_owned(),
            Some(amount) => format!("answers 500 to whatever pays {amount} USDC"),
        }
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let is_served = match self.at {
            None => ask.request.is_proven(ask.chain.signers()),
            Some(amount) => ask.request.payment().is_none_or(|paid| paid.transfer.amount() != amount.atomic().into()),
        };
        if is_served {
            return ask.honest();
        }
        Reply::text(500, "text/plain", "TypeError: Cannot read properties of null (reading 'from')")
    }
}

#[cfg(test)]
mod tests {
    use super::Throws;
    use crate::{
        Inject,
        testing::{Bench, Payer, always},
    };
    use grammar::Usdc;

    #[tokio::test]
    async fn it_throws_at_what_is_odd_and_serves_the_rest() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Throws(Throws { at: None }))).await;
        let odd =
            Payer::new(1).body(1).replace("\"authorization\":", "\"permit2Authorization\":null,\"authorization\":");
        let forged = Payer::new(1).body(1).replace("\"value\":\"10000\"", "\"value\":\"10001\"");
        for body in [odd, forged] {
            assert_eq!(bench.post_body(&double, "/verify", body).await.unwrap().0, 500);
        }
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        assert_eq!(bench.stop(double).await.1, 1);
    }

    #[tokio::test]
    async fn it_throws_at_an_amount_whoever_pays_it() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Throws(Throws { at: Usdc::new("0.01") }))).await;
        let other = bench.double(always(Inject::Throws(Throws { at: Usdc::new("0.02") }))).await;
        assert_eq!(bench.post_body(&double, "/settle", Payer::new(1).body(1)).await.unwrap().0, 500);
        assert_eq!(bench.post(&other, "/settle", 1).await.unwrap().1["success"], true);
    }
}
