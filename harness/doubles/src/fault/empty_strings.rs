//! `empty-strings`: the honest answer, with members empty that other facilitators leave out. The money moves.
//!
//! Libraries of languages without an absent value write their zero value. For whoever reads it, it is as absent as no member.

use super::about::{About, Compared, Drawn, Moves};
use crate::{EmptyField, ask::Ask, reply::Reply};
use grammar::Listed;
use reports::event::FacilitatorEndpoint;
use serde_json::{Value, json};

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "empty-strings",
        "the answer, with these members empty (fields: reason, payer, amount); the money moves",
        "{ fields = [\"reason\", \"payer\"] }",
    ),
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["empty-strings = { fields = [\"reason\", \"payer\"] }"]),
    compared: Compared::Not { because: "it differs from an honest answer in form alone" },
};

pub fn reply(fields: &[EmptyField], ask: &Ask<'_>) -> Reply {
    let honest = ask.honest();
    let mut body: Value = serde_json::from_slice(&honest.body).unwrap_or_default();
    let yes = ["isValid", "success"].iter().any(|name| body[*name] == true);
    for field in fields {
        let name = match (field, ask.endpoint) {
            // A refusal says why.
            (EmptyField::Reason, _) if !yes => continue,
            (EmptyField::Reason, FacilitatorEndpoint::Verify) => "invalidReason",
            (EmptyField::Reason, _) => "errorReason",
            (EmptyField::Payer, _) => "payer",
            (EmptyField::Amount, FacilitatorEndpoint::Verify) => continue,
            (EmptyField::Amount, _) => "amount",
        };
        body[name] = json!("");
    }
    Reply::json(honest.status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn the_answer_is_honest_but_for_what_is_empty() {
        let bench = Bench::new();
        let fields = vec![EmptyField::Reason, EmptyField::Payer, EmptyField::Amount];
        let double = bench.double(always(Inject::EmptyStrings { fields })).await;
        let verified = bench.post(&double, "/verify", 1).await.unwrap().1;
        assert_eq!(verified, json!({"isValid": true, "invalidReason": "", "payer": ""}));
        let settled = bench.post(&double, "/settle", 1).await.unwrap().1;
        assert_eq!(
            (&settled["success"], &settled["errorReason"], &settled["amount"]),
            (&json!(true), &json!(""), &json!(""))
        );
        assert!(settled["transaction"].as_str().unwrap().starts_with("0x"));
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
