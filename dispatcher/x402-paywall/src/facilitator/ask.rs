//! Asks facilitators: `/verify` goes down the board's order until one answers, `/settle` asks exactly one. Every call is
//! told to the board, which learns from it whom to ask next time.

use super::{
    Endpoint, Facilitator, Facilitators,
    time_out::{self, verify_deadline},
    verdict::{self, NoAnswer, Open, SettleVerdict, VerifyVerdict},
};
use crate::{
    Reason,
    health::{Board, Order, Outcome},
    ledger::Claim,
    ports::{Clock, FacilitatorAnswer, FacilitatorTransport, HttpRequest, TransportError},
    seeded::{self, Bug},
    telemetry::{Attempt, Call},
};
use serde_json::value::RawValue;

/// A block takes two seconds: whoever said "pending" mostly knows by then.
const PENDING_PAUSE_MS: u64 = 2_000;
/// A "pending" that took longer is not asked about while the caller waits.
const PENDING_WITHIN_MS: u64 = 10_000;

/// How the list answered `/verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// By the facilitator with this id.
    Valid(String),
    Invalid(Reason),
    /// None gave a usable answer.
    Nobody,
}

/// Asks on behalf of payments.
pub struct Asker<'a, T, C> {
    pub facilitators: &'a Facilitators,
    pub board: &'a Board,
    pub transport: &'a T,
    pub clock: &'a C,
}

impl<T: FacilitatorTransport, C: Clock> Asker<'_, T, C> {
    /// Verifying moves no money, so any unusable answer is a reason to ask the next one.
    pub async fn verify(&self, claim: &Claim, attempts: &mut Vec<Attempt>) -> Verified {
        let began = self.clock.now();
        if seeded::has(Bug::RunUnverified) {
            return Verified::Valid(claim.facilitators.first().cloned().unwrap_or_default());
        }
        let deadline = verify_deadline(&claim.window, began);
        if time_out::within(1, deadline, began).is_none() {
            return Verified::Invalid(claim.window.too_late());
        }
        let Order { ask, left_out } = self.board.order(claim, began);
        let attempt = |id: &str, result: &str, ms| Attempt {
            facilitator: id.to_owned(),
            call: Call::Verify,
            result: result.to_owned(),
            ms,
        };
        attempts.extend(left_out.iter().map(|(id, why)| attempt(id, why, 0)));
        let most = if seeded::has(Bug::VerifyNoFailover) { 1 } else { usize::MAX };
        for facilitator in ask.iter().take(most).filter_map(|id| self.facilitators.by_id(id)) {
            let began = self.clock.now();
            let Some(timeout_ms) = time_out::within(facilitator.verify_timeout_ms, deadline, began) else {
                attempts.push(attempt(&facilitator.id, "no_time_left", 0));
                break;
            };
            let begun = self.board.begin(&facilitator.id, Call::Verify, began);
            let answer = send(self.transport, facilitator, Endpoint::Verify, Some(&claim.request), timeout_ms).await;
            let verdict = verdict::of_verify(answer, &claim.expected(self.clock.now()));
            let ended = self.clock.now();
            let outcome = match &verdict {
                VerifyVerdict::Valid | VerifyVerdict::Invalid(_) => Some(Outcome::Answered),
                VerifyVerdict::NoAnswer(why) => failure(*why, timeout_ms, facilitator.verify_timeout_ms),
            };
            self.board.ended(begun, outcome, ended);
            let log = |result: &str| attempt(&facilitator.id, result, ended.since(began));
            match verdict {
                VerifyVerdict::Valid => {
                    attempts.push(log("ok"));
                    return Verified::Valid(facilitator.id.clone());
                }
                VerifyVerdict::Invalid(reason) => {
                    attempts.push(log(reason.as_str()));
                    if !seeded::has(Bug::InvalidFailsOver) {
                        return Verified::Invalid(reason);
                    }
                }
                VerifyVerdict::NoAnswer(why) => attempts.push(log(&why.to_string())),
            }
        }
        Verified::Nobody
    }

    /// A first settle for a caller who waits. A "pending" is asked about once more: a client that does not know to send the
    /// same payment again, as none in use does by itself, then gets its content all the same.
    pub async fn settle_for_caller(
        &self,
        id: &str,
        claim: &Claim,
        patience: impl Fn(u64) -> u64,
        attempts: &mut Vec<Attempt>,
    ) -> SettleVerdict {
        let began = self.clock.now();
        let first = self.settle(id, claim, &patience, attempts).await;
        let SettleVerdict::Unknown { why: Open::Said(reason), transaction } = &first else { return first };
        if !reason.is_pending() || self.clock.now().since(began) > PENDING_WITHIN_MS {
            return first;
        }
        self.clock.sleep(PENDING_PAUSE_MS).await;
        match self.settle(id, claim, &patience, attempts).await {
            SettleVerdict::Settled(settlement) => SettleVerdict::Settled(settlement),
            // Its transaction may still be mined, whatever is said of the payment by now.
            SettleVerdict::Refused(_) | SettleVerdict::Unsent(_) => first,
            SettleVerdict::Unknown { why, transaction: again } => {
                SettleVerdict::Unknown { why, transaction: again.or_else(|| transaction.clone()) }
            }
        }
    }

    /// One settle attempt at one facilitator. `patience` is how long it may take, out of its configured time-out.
    pub async fn settle(
        &self,
        id: &str,
        claim: &Claim,
        patience: impl Fn(u64) -> u64,
        attempts: &mut Vec<Attempt>,
    ) -> SettleVerdict {
        let Some(facilitator) = self.facilitators.by_id(id) else {
            return SettleVerdict::Unknown { why: Open::NotConfigured, transaction: None };
        };
        let timeout_ms = patience(facilitator.settle_timeout_ms);
        let began = self.clock.now();
        let begun = self.board.begin(id, Call::Settle, began);
        let answer = send(self.transport, facilitator, Endpoint::Settle, Some(&claim.request), timeout_ms).await;
        let ended = self.clock.now();
        let verdict = verdict::of_settle(answer, &claim.expected(ended), id);
        let outcome = match &verdict {
            SettleVerdict::Unknown { why: Open::NoAnswer(why), .. } | SettleVerdict::Unsent(why) => {
                failure(*why, timeout_ms, facilitator.settle_timeout_ms)
            }
            // A refusal, and a "pending", is an answer: chains are slow and payers are poor everywhere alike.
            _ => Some(Outcome::Answered),
        };
        self.board.ended(begun, outcome, ended);
        let result = match &verdict {
            SettleVerdict::Settled(_) => "ok".to_owned(),
            SettleVerdict::Refused(reason) => reason.to_string(),
            SettleVerdict::Unknown { why, .. } => why.to_string(),
            SettleVerdict::Unsent(why) => why.to_string(),
        };
        attempts.push(Attempt { facilitator: id.to_owned(), call: Call::Settle, result, ms: ended.since(began) });
        verdict
    }
}

/// Sends an earlier payment's verify request, to see whether the facilitator answers. What it says of the payment does
/// not count: that may have run out or be settled by now.
pub async fn probe(facilitator: &Facilitator, specimen: &RawValue, transport: &impl FacilitatorTransport) -> Outcome {
    let timeout_ms = facilitator.verify_timeout_ms;
    let answer = send(transport, facilitator, Endpoint::Verify, Some(specimen), timeout_ms).await;
    match verdict::answers_verify(answer) {
        Ok(()) => Outcome::Answered,
        Err(why) => Outcome::Failed(why.to_string()),
    }
}

/// The body of a good answer to `/supported`.
pub async fn supported(
    facilitator: &Facilitator,
    timeout_ms: u64,
    transport: &impl FacilitatorTransport,
) -> Option<Vec<u8>> {
    let answer = send(transport, facilitator, Endpoint::Supported, None, timeout_ms).await.ok()?;
    (answer.status == 200).then_some(answer.body)
}

async fn send(
    transport: &impl FacilitatorTransport,
    facilitator: &Facilitator,
    endpoint: Endpoint,
    json: Option<&RawValue>,
    timeout_ms: u64,
) -> Result<FacilitatorAnswer, TransportError> {
    let timeout_ms = if seeded::has(Bug::TimeOutIgnored) { u64::from(u32::MAX) } else { timeout_ms };
    let (url, headers) = (facilitator.url_of(endpoint), facilitator.headers_of(endpoint));
    transport.send(HttpRequest { url: &url, headers, json: json.map(RawValue::get), timeout_ms }).await
}

/// What a missing answer says of the facilitator: nothing where it had less than its time, or where the payer's own words
/// may be to blame.
fn failure(why: NoAnswer, timeout_ms: u64, configured_ms: u64) -> Option<Outcome> {
    let cut_short = why == NoAnswer::Transport(TransportError::Timeout) && timeout_ms < configured_ms;
    (why.blames_the_facilitator() && !cut_short).then(|| Outcome::Failed(why.to_string()))
}
