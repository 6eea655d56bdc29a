//! `empty-strings`: the honest answer, with members empty that other facilitators leave out. The money moves.
//!
//! Libraries of languages without an absent value write their zero value. For whoever reads it, it is as absent as no member.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{ask::Ask, reply::Reply};
use grammar::{Listed, Problem, Problems};
use reports::event::FacilitatorEndpoint;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "empty-strings",
        "the answer, with these members empty (fields: reason, payer, amount); the money moves",
        "{ fields = [\"reason\", \"payer\"] }",
    ),
    on: OnCalls::Payments,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["empty-strings = { fields = [\"reason\", \"payer\"] }"]),
    compared: Compared::Not { because: "it differs from an honest answer in form alone" },
};

/// A member of an answer that some facilitators send empty where others leave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyField {
    /// `errorReason` of a settlement, `invalidReason` of a verification.
    Reason,
    Payer,
    Amount,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawEmptyStrings {
    #[schemars(with = "Vec<EmptyField>", length(min = 1))]
    fields: Spanned<Vec<EmptyField>>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyStrings {
    pub fields: Vec<EmptyField>,
}

impl RawEmptyStrings {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<EmptyStrings> {
        let fields = self.fields;
        if fields.get_ref().is_empty() {
            problems.add(Problem::new(fields.span(), "no member would be empty", "at least one"));
            return None;
        }
        Some(EmptyStrings { fields: fields.into_inner() })
    }
}

impl Behaviour for EmptyStrings {
    fn says(&self) -> String {
        let names = self.fields.iter().map(|field| match field {
            EmptyField::Reason => "reason",
            EmptyField::Payer => "payer",
            EmptyField::Amount => "amount",
        });
        format!("answers with an empty {}", names.collect::<Vec<_>>().join(" and "))
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let honest = ask.honest();
        let mut body: Value = serde_json::from_slice(&honest.body).unwrap_or_default();
        let yes = ["isValid", "success"].iter().any(|name| body[*name] == true);
        for field in &self.fields {
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
        let double = bench.double(always(Inject::EmptyStrings(EmptyStrings { fields }))).await;
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
