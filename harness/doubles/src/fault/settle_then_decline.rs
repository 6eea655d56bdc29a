//! `settle-then-decline`: the money moves, and the answer is a well-formed no: the node that was to confirm it failed, the wait
//! for its receipt timed out, or somebody's code looked at a balance that the transfer had used up. Whoever believes it bills a
//! payer who has paid.

use super::about::{About, Compared, Drawn, Moves};
use crate::{NamedTransaction, Repeat, ask::Ask, chain, reply::Reply};
use grammar::Listed;
use x402_protocol::v2::SettleResponse;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "settle-then-decline",
        "the money moves, and the answer is a no (settle; reason: any text, or none; status; transaction: none, own, other)",
        "{ reason = \"settle_exact_node_failure\", status = 200, transaction = \"none\" }",
    ),
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&[
        "settle-then-decline = { reason = \"settle_exact_node_failure\", transaction = \"none\" }",
        "settle-then-decline = { reason = \"insufficient_funds\", status = 502, transaction = \"none\" }",
        "settle-then-decline = { transaction = \"other\" }",
        "settle-then-decline = { reason = \"the node did not answer\", transaction = \"own\" }",
    ]),
    compared: Compared::Not { because: "nobody has given it a row yet" },
};

pub fn reply(reason: Option<&str>, status: u16, transaction: NamedTransaction, ask: &Ask<'_>) -> Reply {
    let settled = ask.settle(Repeat::Yes);
    if !settled.success {
        return Reply::json(200, &settled);
    }
    let other = || ask.request.payment().map(|asked| chain::transaction_hash("a former attempt", &asked.key()));
    let transaction = match transaction {
        NamedTransaction::None => String::new(),
        NamedTransaction::Own => settled.transaction.clone(),
        NamedTransaction::Other => other().unwrap_or_default(),
    };
    let error_reason = reason.map(str::to_owned);
    Reply::json(status, &SettleResponse { success: false, error_reason, transaction, amount: None, ..settled })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn the_money_moves_whatever_the_refusal_says() {
        for (reason, status, transaction) in [
            (Some("settle_exact_node_failure"), 200, NamedTransaction::None),
            (Some("the node said: connection reset"), 502, NamedTransaction::Own),
            (None, 200, NamedTransaction::Other),
        ] {
            let bench = Bench::new();
            let reason = reason.map(str::to_owned);
            let inject = Inject::SettleThenDecline { reason: reason.clone(), status, transaction };
            let double = bench.double(always(inject)).await;
            for _ in 0..2 {
                let (answered, said) = bench.post(&double, "/settle", 1).await.unwrap();
                assert_eq!((answered, &said["success"]), (status, &false.into()));
                assert_eq!(said["errorReason"].as_str(), reason.as_deref());
                assert_eq!(said["transaction"] == "", transaction == NamedTransaction::None);
            }
            assert_eq!(bench.stop(double).await.1, 1);
        }
    }
}
