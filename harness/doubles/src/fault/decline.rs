//! `decline`: a well-formed no, for the scenario's reason. The money stays.
//!
//! A payment whose money has moved already gets the honest answer: to deny that would be a lie, and `lie` is another fault.

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
use toml::Spanned;
use x402_protocol::v2::{SettleResponse, VerifyResponse};

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("decline", "a well-formed no; no money moves", "{ reason = \"insufficient_funds\" }"),
    on: OnCalls::Payments,
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["decline = { reason = \"insufficient_funds\" }"]),
    compared: Compared::Yes,
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawDecline {
    /// An x402 reason code.
    #[schemars(with = "String", regex(pattern = "^[a-z0-9_]+$"))]
    reason: Spanned<String>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    pub reason: String,
}

impl RawDecline {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Decline> {
        Some(Decline { reason: check_reason(self.reason, problems)? })
    }
}

impl Behaviour for Decline {
    fn says(&self) -> String {
        format!("says no, {}", self.reason)
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let payment = ask.request.payment();
        if payment.as_ref().is_some_and(|asked| ask.chain.settled(&asked.key()).is_some()) {
            return ask.honest();
        }
        let reason = Some(self.reason.clone());
        let payer = payment.map(|asked| asked.transfer.from().to_string());
        if ask.endpoint == FacilitatorEndpoint::Verify {
            return Reply::json(200, &VerifyResponse { is_valid: false, invalid_reason: reason, payer });
        }
        let network = ask.request.network().to_owned();
        let (transaction, amount) = (String::new(), None);
        Reply::json(200, &SettleResponse { success: false, error_reason: reason, payer, transaction, network, amount })
    }
}

pub fn check_reason(raw: Spanned<String>, problems: &mut Problems) -> Option<String> {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if raw.get_ref().is_empty() || !raw.get_ref().bytes().all(fine) {
        let problem = Problem::new(raw.span(), "the reason is not an x402 reason code", "not a code");
        problems.add(problem.help("lower-case letters, digits and underscores: \"insufficient_funds\""));
        return None;
    }
    Some(raw.into_inner())
}

#[cfg(test)]
mod tests {
    use super::Decline;
    use crate::{
        Call, Inject, Pick,
        testing::{ALWAYS, Bench, fault},
    };

    #[tokio::test]
    async fn a_decline_never_denies_money_that_moved() {
        let bench = Bench::new();
        let declined = fault(Call::Any, ALWAYS, Pick::All, Inject::Decline(Decline { reason: "no".into() }));
        let settled = fault(Call::Settle, ALWAYS, Pick::First(1), Inject::SettleThenReset);
        let double = bench.double(vec![settled, declined]).await;
        bench.post(&double, "/settle", 1).await.unwrap_err();
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        assert_eq!(bench.post(&double, "/settle", 2).await.unwrap().1["errorReason"], "no");
        assert_eq!(bench.post(&double, "/verify", 2).await.unwrap().1["invalidReason"], "no");
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
