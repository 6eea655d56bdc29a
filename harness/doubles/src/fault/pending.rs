//! `pending`: the transaction is under way and the answer says so: `success: false`. The money moves; a payment that was told
//! so often enough, or is sent again after the fault, gets the final answer.
//!
//! Each style is what a facilitator in use sends: who judges by the status takes the one for a failure and the other for a
//! success.

use super::about::{About, Compared, Drawn, Moves};
use crate::{PendingStyle, Repeat, ask::Ask, reason, reply::Reply};
use grammar::Listed;
use serde_json::json;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "pending",
        "says settlement_pending while the money moved, to each payment so many times (settle; style: coinbase, circle, \
             accepted)",
        "{ style = \"circle\", answers = 2 }",
    ),
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&[
        "pending = { style = \"coinbase\", answers = 1 }",
        "pending = { style = \"circle\", answers = 2 }",
        "pending = { style = \"accepted\" }",
    ]),
    compared: Compared::Yes,
};

pub fn reply(style: PendingStyle, answers: Option<u64>, ask: &Ask<'_>) -> Reply {
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
        let double = bench.double(always(Inject::Pending { style: PendingStyle::Circle, answers: Some(2) })).await;
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
