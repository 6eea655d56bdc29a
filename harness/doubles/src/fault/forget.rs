//! `forget`: settles, and knows nothing of it afterwards: a repeat is answered with what the chain says, nonce already used, or
//! with what one says that looks at something else first, as at the funds that the settlement has used up. The money moves.
//! Most facilitators in the field are so; for whoever lost the first answer it means "settled".

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    decline::check_reason,
    registry::FaultPlace,
};
use crate::{
    ask::Ask,
    honest::{self, Refused},
    reply::Reply,
};
use grammar::{Listed, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use x402_protocol::v2::SettleResponse;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "forget",
        "settles, and says nonce already used of what it has settled, as the chain would, or something else (settle)",
        "{ says = \"insufficient_funds\" }",
    ),
    on: OnCalls::Settle,
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&["forget = {}"]),
    compared: Compared::Not { because: "it only shows where a settlement is asked for twice" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawForget {
    /// An x402 reason code: nonce already used unless given.
    #[schemars(with = "Option<String>", regex(pattern = "^[a-z0-9_]+$"))]
    says: Option<Spanned<String>>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    /// Its answer to a repeat: as the chain says it unless given.
    pub says: Option<String>,
}

impl RawForget {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Forget> {
        let says = match self.says {
            Some(raw) => Some(check_reason(raw, problems)?),
            None => None,
        };
        Some(Forget { says })
    }
}

impl Behaviour for Forget {
    fn says(&self) -> String {
        match &self.says {
            None => "settles, and says of a repeat that the nonce is used".to_owned(),
            Some(reason) => format!("settles, and says of a repeat {reason}"),
        }
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let spent = ask.request.payment().filter(|asked| ask.chain.settled(&asked.key()).is_some());
        match spent {
            Some(asked) => {
                let refused =
                    Refused { reason: honest::nonce_used(&asked.transfer), payer: Some(asked.transfer.from()) };
                let answer = honest::failed(ask.request, &refused);
                let error_reason = self.says.clone().or(answer.error_reason);
                Reply::json(200, &SettleResponse { error_reason, ..answer })
            }
            None => ask.honest(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Forget;
    use crate::{
        Inject,
        testing::{Bench, always},
    };

    #[tokio::test]
    async fn what_was_settled_is_told_as_the_chain_tells_it() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Forget(Forget { says: None }))).await;
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        let again = bench.post(&double, "/settle", 1).await.unwrap().1;
        assert_eq!(again["errorReason"], "invalid_exact_evm_nonce_already_used", "{again}");
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
