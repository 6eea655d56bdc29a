//! `lie`: a well-formed yes that is not true. Whoever believes it hands out what was not paid for, or files the payment
//! under the wrong payer, transaction, network or amount.

use super::{
    about::{About, Compared, Drawn, Money, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{Call, Repeat, ask::Ask, chain, honest, reply::Reply, request::Asked};
use grammar::{Listed, Problem, Problems};
use reports::event::FacilitatorEndpoint;
use schemars::JsonSchema;
use serde::Deserialize;
use sha3::{Digest, Keccak256};
use toml::Spanned;
use x402_protocol::{
    Address, Network,
    v2::{SettleResponse, VerifyResponse},
};

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "lie",
        "a false yes (about: payer, transaction, network, amount, success; money, on settle: moved, kept)",
        "{ about = \"payer\", money = \"moved\" }",
    ),
    on: OnCalls::Payments,
    moves: Moves::AsItSays,
    swarm: Drawn::OnSettle(&[
        "lie = { about = \"payer\", money = \"moved\" }",
        "lie = { about = \"transaction\", money = \"moved\" }",
        "lie = { about = \"network\", money = \"kept\" }",
        "lie = { about = \"amount\", money = \"moved\" }",
        "lie = { about = \"payer\", money = \"kept\" }",
    ]),
    compared: Compared::Yes,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LieAbout {
    /// Names somebody else as the payer.
    Payer,
    /// Success with an empty transaction.
    Transaction,
    /// Names another network.
    Network,
    /// Names another amount.
    Amount,
    /// Names the transaction of another payment of the same payer. Honest where there was none.
    Earlier,
    /// Success, plain and whole, of what did not happen.
    Success,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawLie {
    about: LieAbout,
    /// On settle: whether the money moved behind it.
    #[schemars(with = "Option<Money>")]
    money: Option<Spanned<Money>>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lie {
    pub about: LieAbout,
    /// On `verify`, always `Kept`.
    pub money: Money,
}

impl RawLie {
    pub fn check(self, place: &FaultPlace, problems: &mut Problems) -> Option<Lie> {
        let (FaultPlace { at, call }, Self { about, money }) = (place, self);
        let wrong = |what: &str, help: &str| Some(Problem::new(at.clone(), what, "this lie").help(help));
        let problem = match (*call, about, money.as_ref().map(Spanned::get_ref)) {
            (Call::Any, ..) => {
                wrong("verify and settle lie differently", "write call = \"verify\" or call = \"settle\"")
            }
            (Call::Verify, LieAbout::Transaction | LieAbout::Network | LieAbout::Amount | LieAbout::Earlier, _) => {
                wrong("a verify answer says nothing of that", "on verify, lie about \"payer\" or \"success\"")
            }
            (Call::Verify, _, Some(_)) => wrong("no money moves on verify", "leave `money` out"),
            (Call::Settle, LieAbout::Success, Some(Money::Moved)) => {
                wrong("success is no lie when the money moved", "write money = \"kept\"")
            }
            (Call::Settle, _, None) => wrong(
                "a lie on settle says whether the money moved behind it",
                "add money = \"moved\" or money = \"kept\"",
            ),
            _ => None,
        };
        if let Some(problem) = problem {
            problems.add(problem);
            return None;
        }
        Some(Lie { about, money: money.map_or(Money::Kept, Spanned::into_inner) })
    }
}

impl Behaviour for Lie {
    fn says(&self) -> String {
        let said = match self.about {
            LieAbout::Payer => "for another payer",
            LieAbout::Transaction => "without a transaction",
            LieAbout::Network => "on another network",
            LieAbout::Amount => "of another amount",
            LieAbout::Earlier => "and names another payment's transaction",
            LieAbout::Success => return "says yes whatever is true".to_owned(),
        };
        format!("says yes, {said}")
    }

    fn moves(&self) -> Option<Money> {
        Some(self.money)
    }

    /// A verify answer has no transaction, network or amount to lie about.
    fn applies(&self, endpoint: FacilitatorEndpoint) -> bool {
        match endpoint {
            FacilitatorEndpoint::Settle => true,
            FacilitatorEndpoint::Verify => matches!(self.about, LieAbout::Payer | LieAbout::Success),
            FacilitatorEndpoint::Supported => false,
        }
    }

    /// `Money::Moved` moves it if an honest double would; `Money::Kept` never does.
    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Self { about, money } = *self;
        // About a request that names no payment there is nothing to lie.
        let Some(asked) = ask.request.payment() else {
            return ask.honest();
        };
        match ask.endpoint {
            FacilitatorEndpoint::Verify => Reply::json(200, &verify(about, &asked)),
            FacilitatorEndpoint::Settle => Reply::json(200, &settle(about, money, ask, &asked)),
            FacilitatorEndpoint::Supported => ask.honest(),
        }
    }
}

fn verify(about: LieAbout, asked: &Asked) -> VerifyResponse {
    honest::valid(if about == LieAbout::Payer { other_payer(asked) } else { asked.transfer.from() })
}

fn settle(about: LieAbout, money: Money, ask: &Ask<'_>, asked: &Asked) -> SettleResponse {
    let invented = honest::succeeded(asked, &invented_transaction(ask.facilitator, asked));
    let told = match money {
        Money::Kept => invented,
        Money::Moved => Some(ask.settle(Repeat::Yes)).filter(|answer| answer.success).unwrap_or(invented),
    };
    match about {
        LieAbout::Payer => SettleResponse { payer: Some(other_payer(asked).to_string()), ..told },
        LieAbout::Transaction => SettleResponse { transaction: String::new(), ..told },
        LieAbout::Network => {
            SettleResponse { network: other_network(asked.offer.network).name_in(asked.version).to_owned(), ..told }
        }
        LieAbout::Amount => SettleResponse { amount: Some(other_amount(&told.amount)), ..told },
        LieAbout::Earlier => {
            let key = asked.key();
            let another = |settled: &chain::Settled| {
                settled.transfer.from() == asked.transfer.from() && settled.transfer.key(&asked.offer) != key
            };
            match ask.chain.find(another) {
                Some(other) => SettleResponse { transaction: other.transaction, ..told },
                None => ask.settle(ask.repeats),
            }
        }
        LieAbout::Success => told,
    }
}

fn other_payer(asked: &Asked) -> Address {
    let hash = Keccak256::digest(asked.transfer.from().0);
    let mut other = [0; 20];
    other.copy_from_slice(&hash[12..]);
    Address(other)
}

fn other_network(network: Network) -> Network {
    if network == Network::Base { Network::BaseSepolia } else { Network::Base }
}

fn other_amount(amount: &Option<String>) -> String {
    if amount.as_deref() == Some("1") { "2" } else { "1" }.to_owned()
}

/// Looks like a hash and stands on no chain.
fn invented_transaction(facilitator: &str, asked: &Asked) -> String {
    chain::transaction_hash(&format!("{facilitator}/invented"), &asked.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Inject,
        testing::{Bench, Payer, always},
    };
    use serde_json::Value;

    #[tokio::test]
    async fn each_lie_is_told_with_and_without_the_money() {
        let payer = Payer::new(1).address().to_string();
        for money in [Money::Moved, Money::Kept] {
            for about in
                [LieAbout::Payer, LieAbout::Transaction, LieAbout::Network, LieAbout::Amount, LieAbout::Success]
            {
                let bench = Bench::new();
                let double = bench.double(always(Inject::Lie(Lie { about, money }))).await;
                let (status, told) = bench.post(&double, "/settle", 1).await.unwrap();
                assert_eq!((status, &told["success"]), (200, &Value::Bool(true)), "{about:?}");
                assert_eq!(told["payer"] != payer, about == LieAbout::Payer, "{about:?}: {told}");
                assert_eq!(told["transaction"] == "", about == LieAbout::Transaction, "{about:?}: {told}");
                assert_eq!(told["network"] != "eip155:84532", about == LieAbout::Network, "{about:?}: {told}");
                assert_eq!(told["amount"] != "10000", about == LieAbout::Amount, "{about:?}: {told}");
                let (_, transfers) = bench.stop(double).await;
                assert_eq!(transfers, usize::from(money == Money::Moved), "{about:?} {money:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_lie_names_the_transaction_of_the_payers_other_payment() {
        let bench = Bench::new();
        let honest = bench.double(Vec::new()).await;
        let (_, first) = bench.post(&honest, "/settle", 1).await.unwrap();
        honest.stop().await.unwrap();
        let double = bench.double(always(Inject::Lie(Lie { about: LieAbout::Earlier, money: Money::Kept }))).await;
        let again = Payer::new(1).body(2);
        let (_, told) = bench.post_body(&double, "/settle", again).await.unwrap();
        assert_eq!((&told["success"], &told["transaction"]), (&Value::Bool(true), &first["transaction"]), "{told}");
        bench.stop(double).await;
    }

    #[tokio::test]
    async fn a_lying_verify_passes_a_forged_payment_or_names_another_payer() {
        let forged = Payer::new(1).body(1).replace("\"value\":\"10000\"", "\"value\":\"1\"");
        let payer = Payer::new(1).address().to_string();
        for (about, another) in [(LieAbout::Success, false), (LieAbout::Payer, true)] {
            let bench = Bench::new();
            let double = bench.double(always(Inject::Lie(Lie { about, money: Money::Kept }))).await;
            let (_, told) = bench.post_body(&double, "/verify", forged.clone()).await.unwrap();
            assert_eq!((&told["isValid"], told["payer"] != payer), (&Value::Bool(true), another), "{told}");
            bench.stop(double).await;
        }
    }
}
