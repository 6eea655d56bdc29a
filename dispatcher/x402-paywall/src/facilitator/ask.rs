//! Asks facilitators: `/verify` goes down the list until one answers, `/settle` asks exactly one.

use super::{Facilitator, Facilitators, verdict};
use crate::{
    Reason,
    ledger::Claim,
    ports::{Clock, FacilitatorTransport},
    telemetry::{Attempt, Call},
};
use verdict::{SettleVerdict, VerifyVerdict};

/// How the list answered `/verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// By the facilitator with this id.
    Valid(String),
    Invalid(Reason),
    /// None gave a usable answer.
    Nobody,
}

/// Verifying moves no money, so any unusable answer is a reason to ask the next one on the claim's list.
pub async fn verify(
    facilitators: &Facilitators,
    claim: &Claim,
    transport: &impl FacilitatorTransport,
    clock: &impl Clock,
    attempts: &mut Vec<Attempt>,
) -> Verified {
    for facilitator in claim.facilitators.iter().filter_map(|id| facilitators.by_id(id)) {
        let began = clock.now();
        let url = format!("{}/verify", facilitator.url);
        let answer = transport.post(&url, claim.request.get(), facilitator.verify_timeout_ms).await;
        let verdict = verdict::of_verify(answer, &claim.expected());
        let mut log = |result: &str| {
            let ms = clock.now().since(began);
            attempts.push(Attempt {
                facilitator: facilitator.id.clone(),
                call: Call::Verify,
                result: result.to_owned(),
                ms,
            });
        };
        match verdict {
            VerifyVerdict::Valid => {
                log("ok");
                return Verified::Valid(facilitator.id.clone());
            }
            VerifyVerdict::Invalid(reason) => {
                log(reason.as_str());
                return Verified::Invalid(reason);
            }
            VerifyVerdict::NoAnswer(why) => log(&why),
        }
    }
    Verified::Nobody
}

/// One settle attempt at one facilitator, within `timeout_ms`.
pub async fn settle(
    facilitator: &Facilitator,
    claim: &Claim,
    timeout_ms: u64,
    transport: &impl FacilitatorTransport,
    clock: &impl Clock,
    attempts: &mut Vec<Attempt>,
) -> SettleVerdict {
    let began = clock.now();
    let url = format!("{}/settle", facilitator.url);
    let answer = transport.post(&url, claim.request.get(), timeout_ms).await;
    let verdict = verdict::of_settle(answer, &claim.expected(), &facilitator.id);
    let result = match &verdict {
        SettleVerdict::Settled(_) => "ok",
        SettleVerdict::Refused(reason) => reason.as_str(),
        SettleVerdict::Unknown { why, .. } => why,
    };
    let ms = clock.now().since(began);
    attempts.push(Attempt { facilitator: facilitator.id.clone(), call: Call::Settle, result: result.to_owned(), ms });
    verdict
}
