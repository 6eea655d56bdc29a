//! `settle-then-decline`: the money moves, and the answer is a well-formed no: the node that was to confirm it failed, the wait
//! for its receipt timed out, or somebody's code looked at a balance that the transfer had used up. Whoever believes it bills a
//! payer who has paid.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{Repeat, ask::Ask, chain, reply::Reply};
use grammar::{Listed, Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use x402_protocol::v2::SettleResponse;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "settle-then-decline",
        "the money moves, and the answer is a no (settle; reason: any text, or none; status; transaction: none, own, other)",
        "{ reason = \"settle_exact_node_failure\", status = 200, transaction = \"none\" }",
    ),
    on: OnCalls::Settle,
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&[
        "settle-then-decline = { reason = \"settle_exact_node_failure\", transaction = \"none\" }",
        "settle-then-decline = { reason = \"insufficient_funds\", status = 502, transaction = \"none\" }",
        "settle-then-decline = { transaction = \"other\" }",
        "settle-then-decline = { reason = \"the node did not answer\", transaction = \"own\" }",
    ]),
    compared: Compared::Not { because: "nobody has given it a row yet" },
};

/// The transaction that a refusal names although the money moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NamedTransaction {
    #[default]
    None,
    /// The one in which the money moved.
    Own,
    /// One that stands on no chain, as of an attempt that failed before the one that did not.
    Other,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawSettleThenDecline {
    /// The reason of the refusal, in whatever words; none unless given.
    reason: Option<String>,
    /// 200 unless given.
    #[schemars(with = "Option<u16>", range(min = 200, max = 599))]
    status: Option<Spanned<u16>>,
    /// The transaction that it names: `none` unless given.
    #[serde(default)]
    transaction: NamedTransaction,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleThenDecline {
    /// Absent, empty, a code or free text.
    pub reason: Option<String>,
    pub status: u16,
    pub transaction: NamedTransaction,
}

impl RawSettleThenDecline {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<SettleThenDecline> {
        let Self { reason, status, transaction } = self;
        let status = match status {
            Some(raw) => check_answered(&raw, problems)?,
            None => 200,
        };
        Some(SettleThenDecline { reason, status, transaction })
    }
}

impl Behaviour for SettleThenDecline {
    fn says(&self) -> String {
        let reason = self.reason.as_deref().map_or("without a reason".to_owned(), |reason| format!("for {reason:?}"));
        let named = match self.transaction {
            NamedTransaction::None => "no transaction",
            NamedTransaction::Own => "its transaction",
            NamedTransaction::Other => "another transaction",
        };
        format!("settles, and says no {reason} under {}, with {named}", self.status)
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let settled = ask.settle(Repeat::Yes);
        if !settled.success {
            return Reply::json(200, &settled);
        }
        let other = || ask.request.payment().map(|asked| chain::transaction_hash("a former attempt", &asked.key()));
        let transaction = match self.transaction {
            NamedTransaction::None => String::new(),
            NamedTransaction::Own => settled.transaction.clone(),
            NamedTransaction::Other => other().unwrap_or_default(),
        };
        let error_reason = self.reason.clone();
        Reply::json(self.status, &SettleResponse { success: false, error_reason, transaction, amount: None, ..settled })
    }
}

fn check_answered(raw: &Spanned<u16>, problems: &mut Problems) -> Option<u16> {
    if !(200..=599).contains(raw.get_ref()) {
        problems.add(Problem::new(raw.span(), "a refusal is answered with 200 to 599", "no final status"));
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
    async fn the_money_moves_whatever_the_refusal_says() {
        for (reason, status, transaction) in [
            (Some("settle_exact_node_failure"), 200, NamedTransaction::None),
            (Some("the node said: connection reset"), 502, NamedTransaction::Own),
            (None, 200, NamedTransaction::Other),
        ] {
            let bench = Bench::new();
            let reason = reason.map(str::to_owned);
            let inject = Inject::SettleThenDecline(SettleThenDecline { reason: reason.clone(), status, transaction });
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
