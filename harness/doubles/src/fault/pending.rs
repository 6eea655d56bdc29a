//! `pending`: the transaction is under way and the answer says so: `success: false`. The money moves; a payment that was told
//! so often enough, or is sent again after the fault, gets the final answer.
//!
//! Each style is what a facilitator in use sends: who judges by the status takes the one for a failure and the other for a
//! success.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{Repeat, ask::Ask, reason, reply::Reply};
use grammar::{Listed, Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "pending",
        "says settlement_pending while the money moved, to each payment so many times (settle; style: coinbase, circle, \
             accepted)",
        "{ style = \"circle\", answers = 2 }",
    ),
    on: OnCalls::Settle,
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&[
        "pending = { style = \"coinbase\", answers = 1 }",
        "pending = { style = \"circle\", answers = 2 }",
        "pending = { style = \"accepted\" }",
    ]),
    compared: Compared::Yes,
};

/// Facilitators agree on the word `settlement_pending` and on nothing around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PendingStyle {
    /// HTTP 500 and the transaction.
    #[default]
    Coinbase,
    /// HTTP 200, a `paymentId` and no transaction.
    Circle,
    /// The same under HTTP 202.
    Accepted,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawPending {
    /// Whose way of saying it: Coinbase's unless given.
    style: Option<PendingStyle>,
    /// How many answers a payment gets that say so: all unless given.
    #[schemars(with = "Option<u64>", range(min = 1))]
    answers: Option<Spanned<u64>>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub style: PendingStyle,
    /// How many answers a payment gets that say so; the next one is final. `None`: all of them.
    pub answers: Option<u64>,
}

impl RawPending {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Pending> {
        let answers = match self.answers {
            Some(raw) => Some(check_answers(&raw, problems)?),
            None => None,
        };
        Some(Pending { style: self.style.unwrap_or_default(), answers })
    }
}

impl Behaviour for Pending {
    fn says(&self) -> String {
        let style = match self.style {
            PendingStyle::Coinbase => "a 500 and the transaction",
            PendingStyle::Circle => "a 200 and no transaction",
            PendingStyle::Accepted => "a 202 and no transaction",
        };
        let often = match self.answers {
            Some(1) => "once".to_owned(),
            Some(answers) => format!("{answers} times"),
            None => "always".to_owned(),
        };
        format!("settles, and says pending {often} of each payment, as {style}")
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Self { style, answers } = *self;
        // It follows its own transaction, so it knows of a repeat what it said.
        let mut answer = ask.settle(Repeat::Yes);
        if !answer.success || answers.is_some_and(|answers| ask.asked_before >= answers) {
            return Reply::json(200, &answer);
        }
        answer.success = false;
        answer.error_reason = Some(reason::SETTLEMENT_PENDING.to_owned());
        answer.amount = None;
        let status = match style {
            PendingStyle::Coinbase => return Reply::json(500, &answer),
            PendingStyle::Circle => 200,
            PendingStyle::Accepted => 202,
        };
        // Their own handle on the payment, and nothing yet that stands on a chain.
        let payment_id = std::mem::take(&mut answer.transaction).split_off(2);
        let mut body = serde_json::to_value(&answer).expect("wire types have string keys");
        body["paymentId"] = json!(payment_id);
        Reply::json(status, &body)
    }
}

fn check_answers(raw: &Spanned<u64>, problems: &mut Problems) -> Option<u64> {
    if *raw.get_ref() == 0 {
        let problem = Problem::new(raw.span(), "no answer would say pending", "at least 1");
        problems.add(problem.help("leave `answers` out for a settlement that stays pending"));
        return None;
    }
    Some(*raw.get_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn each_payment_is_pending_so_many_times_and_then_final() {
        let bench = Bench::new();
        let double =
            bench.double(always(Inject::Pending(Pending { style: PendingStyle::Circle, answers: Some(2) }))).await;
        for nonce in [1, 2] {
            let mut said = Vec::new();
            for _ in 0..3 {
                said.push(bench.post(&double, "/settle", nonce).await.unwrap().1["success"].clone());
            }
            assert_eq!(said, [false, false, true]);
        }
        assert_eq!(bench.stop(double).await.1, 2);
    }
}
