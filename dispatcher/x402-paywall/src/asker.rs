//! Asks facilitators: `/verify` goes down the board's order until one answers, `/settle` asks exactly one. Every call is
//! told to the board, which learns from it whom to ask next time.

use crate::{
    Reason,
    claim::Claim,
    facilitator::{
        Endpoint, Facilitator, Facilitators, Outcome,
        answer::{Heard, send},
        time_out::{self, verify_deadline},
        traced::Traced,
        transport::{FacilitatorTransport, TransportError},
        verdict::{self, NoAnswer, Open, SettleVerdict, VerifyVerdict},
        verify_reason::{self, About},
    },
    health::{Begun, Board, Busy, Errand, Failed, Order},
    telemetry::{Attempt, Call},
    time::{Clock, UnixMillis},
    trace,
};
use x402_protocol::PaymentFlow;

/// How long a payment of which nothing is known waits for room at a facilitator, and how often it looks.
const WAIT_FOR_ROOM_MS: u64 = 1_500;
const LOOK_FOR_ROOM_MS: u64 = 250;
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

/// The answers to one claim so far.
#[derive(Default)]
struct Search {
    /// Failures, in case somebody finds that the claim holds.
    failed: Vec<Failed>,
    /// The first `no` about the payment that another might see otherwise.
    refused: Option<Reason>,
    /// The first `no` about a signature that we have found to be the payer's. It counts if everybody asked says the same.
    unsigned: Option<Reason>,
    said_otherwise: bool,
}

impl<T: FacilitatorTransport, C: Clock> Asker<'_, T, C> {
    /// Verifying moves no money, so any unusable answer is a reason to ask the next one. So is a `no` that is not about the
    /// payment, or that we cannot follow.
    pub async fn verify(&self, claim: &Claim, attempts: &mut Vec<Attempt>) -> Verified {
        let began = self.clock.now();
        let deadline = verify_deadline(&claim.window, began);
        if time_out::within(1, deadline, began).is_none() {
            return Verified::Invalid(claim.window.too_late());
        }
        let Order { ask, left_out } = self.board.order(claim, began);
        attempts.extend(left_out.iter().map(|(id, why)| attempt(id, Call::Verify, why, 0)));
        let mut ids = ask;
        let mut search = Search::default();
        let mut told = false;
        loop {
            let mut busy = Vec::new();
            for id in ids {
                let Some(facilitator) = self.facilitators.by_id(&id) else { continue };
                let now = self.clock.now();
                let Some(timeout_ms) = time_out::within(facilitator.verify_timeout_ms, deadline, now) else {
                    attempts.push(attempt(&id, Call::Verify, "no_time_left", 0));
                    return search.without_a_yes();
                };
                match self.board.begin(&id, claim, Call::Verify, Errand::Sale, now) {
                    Err(Busy) => {
                        if !told {
                            attempts.push(attempt(&id, Call::Verify, "busy", 0));
                        }
                        busy.push(id);
                    }
                    Ok(begun) => {
                        let verified =
                            self.verify_at(facilitator, claim, begun, timeout_ms, &mut search, attempts).await;
                        if let Some(verified) = verified {
                            return verified;
                        }
                    }
                }
            }
            if busy.is_empty() || self.clock.now().since(began) >= WAIT_FOR_ROOM_MS {
                return search.without_a_yes();
            }
            told = true;
            self.clock.sleep(LOOK_FOR_ROOM_MS).await;
            ids = busy;
        }
    }

    /// Asks one. `None`: the search goes on.
    async fn verify_at(
        &self,
        facilitator: &Facilitator,
        claim: &Claim,
        begun: Begun,
        timeout_ms: u64,
        search: &mut Search,
        attempts: &mut Vec<Attempt>,
    ) -> Option<Verified> {
        let began = self.clock.now();
        let origin = origin(claim, &facilitator.id, Call::Verify, began);
        let transport = Traced { transport: self.transport, origin: origin.as_ref() };
        let heard = send(&transport, facilitator, Endpoint::Verify, Some(&claim.request), timeout_ms).await;
        let Heard { answer, said } = heard;
        let verdict = verdict::of_verify(answer, &claim.expected(self.clock.now()));
        let ended = self.clock.now();
        let about = |reason: &Reason| verify_reason::about(reason, claim, ended);
        let outcome = match &verdict {
            VerifyVerdict::Valid => Some(Outcome::Answered),
            VerifyVerdict::Invalid(reason) if about(reason) == About::TheFacilitator => {
                Some(Outcome::Failed(reason.to_string()))
            }
            // Anybody can be refused, so it says nothing of how a facilitator does.
            VerifyVerdict::Invalid(_) => None,
            VerifyVerdict::NoAnswer(why) => failure(*why, timeout_ms, facilitator.verify_timeout_ms),
        };
        let result = match &verdict {
            VerifyVerdict::Valid => "ok".to_owned(),
            VerifyVerdict::Invalid(reason) => reason.to_string(),
            VerifyVerdict::NoAnswer(why) => why.to_string(),
        };
        let log = attempt(&facilitator.id, Call::Verify, &result, ended.since(began));
        let said_otherwise = said.clone().filter(|_| verdict != VerifyVerdict::Valid);
        attempts.push(Attempt { said: said_otherwise, at_ms: Some(began), trace: told(origin), ..log });
        search.failed.extend(self.board.ended(begun, outcome, said, ended));
        match verdict {
            VerifyVerdict::Valid => {
                self.board.proved(claim, &facilitator.id, std::mem::take(&mut search.failed), ended);
                Some(Verified::Valid(facilitator.id.clone()))
            }
            VerifyVerdict::Invalid(reason) => match about(&reason) {
                About::ThePayment => Some(Verified::Invalid(reason)),
                About::ThePaymentPerhaps => {
                    search.refused.get_or_insert(reason);
                    None
                }
                About::TheFacilitator | About::Unclear => {
                    if verify_reason::is_about_signature(&reason) {
                        search.unsigned.get_or_insert(reason);
                    } else {
                        search.said_otherwise = true;
                    }
                    None
                }
            },
            VerifyVerdict::NoAnswer(_) => {
                search.said_otherwise = true;
                None
            }
        }
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
        let first = self.settle_at(id, claim, &patience, Errand::Sale, attempts).await;
        let SettleVerdict::Unknown { why: Open::Said(reason), transaction: named } = &first else { return first };
        if !reason.is_pending() || self.clock.now().since(began) > PENDING_WITHIN_MS {
            return first;
        }
        self.clock.sleep(PENDING_PAUSE_MS).await;
        match self.settle(id, claim, &patience, attempts).await {
            SettleVerdict::Settled(settlement) => SettleVerdict::Settled(settlement),
            // Its transaction may still be mined, whatever is said of the payment by now. A nonce that is called used is one
            // that this very settlement has used: the first word stays.
            SettleVerdict::Refused(_) | SettleVerdict::Unsent(_) => first,
            SettleVerdict::Unknown { transaction, .. } => {
                SettleVerdict::Unknown { why: Open::Said(reason.clone()), transaction: named.clone().or(transaction) }
            }
        }
    }

    /// Asks the same facilitator again about a settlement whose answer was lost. `patience` is how long it may take, out of
    /// its configured time-out.
    pub async fn settle(
        &self,
        id: &str,
        claim: &Claim,
        patience: impl Fn(u64) -> u64,
        attempts: &mut Vec<Attempt>,
    ) -> SettleVerdict {
        self.settle_at(id, claim, patience, Errand::Debt, attempts).await
    }

    async fn settle_at(
        &self,
        id: &str,
        claim: &Claim,
        patience: impl Fn(u64) -> u64,
        errand: Errand,
        attempts: &mut Vec<Attempt>,
    ) -> SettleVerdict {
        let Some(facilitator) = self.facilitators.by_id(id) else {
            return SettleVerdict::Unknown { why: Open::NotConfigured, transaction: None };
        };
        let timeout_ms = patience(facilitator.settle_timeout_ms);
        let began = self.clock.now();
        // A settlement is owed, or its payment was verified: room is for what nobody has looked at yet.
        let begun = self.board.begin(id, claim, Call::Settle, errand, began).ok();
        let origin = origin(claim, id, Call::Settle, began);
        let transport = Traced { transport: self.transport, origin: origin.as_ref() };
        let heard = send(&transport, facilitator, Endpoint::Settle, Some(&claim.request), timeout_ms).await;
        let Heard { answer, said } = heard;
        let ended = self.clock.now();
        let verdict = verdict::of_settle(answer, &claim.expected(ended), id);
        let outcome = match &verdict {
            SettleVerdict::Unknown { why: Open::NoAnswer(why), .. } | SettleVerdict::Unsent(why) => {
                failure(*why, timeout_ms, facilitator.settle_timeout_ms)
            }
            // Nobody has looked at what is paid upfront, and anybody can be refused.
            SettleVerdict::Refused(_) if claim.flow == PaymentFlow::Upfront => None,
            // A refusal, and a "pending", is an answer: chains are slow and payers are poor everywhere alike.
            _ => Some(Outcome::Answered),
        };
        let is_settled = matches!(verdict, SettleVerdict::Settled(_));
        if is_settled {
            self.board.settled(claim, ended);
        }
        let result = match &verdict {
            SettleVerdict::Settled(_) => "ok".to_owned(),
            SettleVerdict::Refused(reason) => reason.to_string(),
            SettleVerdict::Unknown { why, .. } => why.to_string(),
            SettleVerdict::Unsent(why) => why.to_string(),
        };
        let log = attempt(id, Call::Settle, &result, ended.since(began));
        let said_otherwise = said.clone().filter(|_| !is_settled);
        attempts.push(Attempt { said: said_otherwise, at_ms: Some(began), trace: told(origin), ..log });
        if let Some(begun) = begun {
            self.board.ended(begun, outcome, said, ended);
        }
        verdict
    }
}

impl Search {
    /// Nobody said yes.
    fn without_a_yes(self) -> Verified {
        self.refused.or(self.unsigned.filter(|_| !self.said_otherwise)).map_or(Verified::Nobody, Verified::Invalid)
    }
}

fn attempt(facilitator: &str, call: Call, result: &str, ms: u64) -> Attempt {
    Attempt {
        facilitator: facilitator.to_owned(),
        call,
        result: result.to_owned(),
        ms,
        said: None,
        at_ms: None,
        trace: None,
    }
}

/// The origin of a call about a claim.
fn origin(claim: &Claim, facilitator: &str, call: Call, at: UnixMillis) -> Option<trace::Origin> {
    claim.origin_of(claim.trace.as_ref().map(|trace| trace.child(&call.at(facilitator), at)).as_deref())
}

fn told(origin: Option<trace::Origin>) -> Option<String> {
    origin.map(|origin| origin.traceparent)
}

/// The failure that a missing answer is. `None`: it had less than its time.
fn failure(why: NoAnswer, timeout_ms: u64, configured_ms: u64) -> Option<Outcome> {
    let cut_short = why == NoAnswer::Transport(TransportError::Timeout) && timeout_ms < configured_ms;
    (!cut_short).then(|| Outcome::Failed(why.to_string()))
}
