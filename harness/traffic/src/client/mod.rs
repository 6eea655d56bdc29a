//! One client at one arrival: one file a kind, named as a scenario's mix names it, and here the steps they share.

mod away;
mod blamer;
mod chain_observer;
mod differential;
mod duplicate;
mod fresh_after_timeout;
mod gone;
mod guesser;
mod head;
mod hostile;
mod identifier_race;
mod impatient;
mod kind;
mod late;
mod malformed;
mod malformed_v1;
mod once;
mod one_address_sampler;
mod paid;
mod preflight;
mod preflight_thief;
mod replay_elsewhere;
mod resend_after_served;
mod returner;
mod roaming;
mod short_lived;
mod skewed;
mod slow_body;
mod squatter;
mod tries_again;
mod two_names;
mod unasked;
mod unbacked;

pub use kind::{ClientKind, Swarm};

use super::{
    ask::Ask,
    caller::{API_KEY, Caller, Got, Sending},
    leaks,
    payer::{Draft, Invoice, Payers, Payment},
    schedule::Arrival,
};
use reports::event::{Answer, Event, ExchangeKind, Flaw, Purchase, PurchaseOutcome};
use std::time::Duration;
use x402_protocol::TransferMethod;

/// Pause before a resend where the answer names none, or there was no answer.
const DEFAULT_PAUSE_S: u64 = 1;
/// A client does not wait longer than this, whatever `Retry-After` says.
const MAX_PAUSE_S: u64 = 10;

/// The means of a client.
pub struct Visit<'a> {
    pub caller: &'a Caller,
    pub payers: &'a Payers,
    pub arrival: &'a Arrival,
    /// When it stops asking for what it paid for.
    pub give_up_us: u64,
}

/// A purchase that has ended.
struct Bought {
    outcome: PurchaseOutcome,
    /// Every payment that was signed for it.
    payments: Vec<Payment>,
}

impl Bought {
    fn nothing(outcome: PurchaseOutcome) -> Self {
        Self { outcome, payments: Vec::new() }
    }
}

/// The result of a payment.
enum Collected {
    Ended(PurchaseOutcome),
    /// With the new offer, where one came.
    Billed(Option<Invoice>),
}

impl Visit<'_> {
    /// Comes back when the client is through. Returns the keys of the payments it signed.
    pub async fn run(&self) -> Vec<String> {
        let bought = match self.arrival.client {
            ClientKind::Paid
            | ClientKind::PaidV1
            | ClientKind::PaidPermit2
            | ClientKind::Forger
            | ClientKind::SharedIdentifier
            | ClientKind::Authorized
            | ClientKind::Keyed => paid::buy(self).await,
            ClientKind::Roaming => roaming::buy(self).await,
            ClientKind::Returner => returner::buy(self).await,
            ClientKind::Late | ClientKind::LateIdentified => late::buy(self).await,
            ClientKind::Unpaid => return self.look().await,
            ClientKind::Duplicate => duplicate::buy(self).await,
            ClientKind::ReplayElsewhere => replay_elsewhere::buy(self).await,
            ClientKind::ResendAfterServed | ClientKind::Identified => resend_after_served::buy(self).await,
            ClientKind::Impatient => impatient::buy(self).await,
            ClientKind::Away => away::buy(self).await,
            ClientKind::Once => once::buy(self).await,
            ClientKind::Head => head::buy(self).await,
            ClientKind::Skewed => skewed::buy(self).await,
            ClientKind::ShortLived => short_lived::buy(self).await,
            ClientKind::TriesAgain => tries_again::buy(self).await,
            ClientKind::TwoNames => return two_names::ask(self).await,
            ClientKind::Preflight => return preflight::ask(self).await,
            ClientKind::IdentifierRace => identifier_race::buy(self).await,
            ClientKind::FreshAfterTimeout => fresh_after_timeout::buy(self).await,
            ClientKind::Malformed => return malformed::try_it(self).await,
            ClientKind::MalformedV1 => return malformed_v1::try_it(self).await,
            ClientKind::Hostile => return hostile::try_it(self).await,
            ClientKind::Unbacked => return unbacked::try_it(self).await,
            ClientKind::PreflightThief => return preflight_thief::steal(self).await,
            ClientKind::ChainObserver => return chain_observer::steal(self).await,
            ClientKind::Blamer => return blamer::blame(self).await,
            ClientKind::Squatter => return squatter::squat(self).await,
            ClientKind::PayingSquatter => return squatter::squat_and_pay(self).await,
            ClientKind::Differential => return differential::steal(self).await,
            ClientKind::SlowBody => return slow_body::hold(self).await,
            ClientKind::Guesser => return guesser::guess(self).await,
            ClientKind::OneAddressSampler => return one_address_sampler::sample(self).await,
            ClientKind::Gone => return gone::pay(self).await,
        };
        let payments: Vec<_> = bought.payments.into_iter().filter_map(|payment| payment.key).collect();
        self.caller.journal().record(Event::PurchaseEnded(Purchase {
            purchase: self.arrival.number,
            client: self.arrival.client.name().to_owned(),
            traffic: self.arrival.traffic.as_str().to_owned(),
            tenant: self.arrival.tenant.as_str().to_owned(),
            phase: self.caller.phase_at(self.arrival.due_us),
            payer: self.payers.address(self.arrival.wallet),
            outcome: bought.outcome,
            payments: payments.clone(),
        }));
        payments
    }

    async fn send(&self, sending: Sending<'_>) -> Option<Got> {
        let sending = match self.arrival.client {
            // It buys as it should, and says with everything what only the dispatcher may say.
            ClientKind::Forger => sending.headers(leaks::FORGED_REQUEST),
            ClientKind::Keyed => sending.with_credentials_of(format!("{API_KEY}{}", self.arrival.number)),
            client if client.has_credentials() => sending.with_credentials_of(format!("user-{}", self.arrival.number)),
            _ => sending,
        };
        self.caller.exchange(self.arrival, sending).await
    }

    /// Asks without ever paying.
    async fn look(&self) -> Vec<String> {
        self.send(Sending::new(&Ask::of(self.arrival), ExchangeKind::Unpaid).due(self.arrival.due_us)).await;
        Vec::new()
    }

    /// Fetches the offer; where there is none to pay, says what became of the purchase.
    async fn challenge(&self, ask: &Ask) -> Result<Invoice, Bought> {
        let sending = Sending::new(ask, ExchangeKind::Challenge).due(self.arrival.due_us);
        match self.send(sending).await {
            Some(Got { invoice: Some(invoice), answer: Answer { status: 402, .. } }) => Ok(invoice),
            Some(Got { answer: Answer { status: 200..=299, .. }, .. }) => Err(Bought::nothing(PurchaseOutcome::Served)),
            _ => Err(Bought::nothing(PurchaseOutcome::Refused)),
        }
    }

    /// The purchase's n-th payment, from 0.
    fn pay(&self, invoice: &Invoice, attempt: u64) -> Payment {
        self.draft(invoice, attempt).sign()
    }

    fn draft<'a>(&'a self, invoice: &'a Invoice, attempt: u64) -> Draft<'a> {
        let Arrival { number, wallet, .. } = *self.arrival;
        let mut draft = self.payers.draft_from(wallet, invoice, number, attempt, self.unix_now());
        let whose = match self.arrival.client {
            // Every two clients number their purchases alike.
            ClientKind::SharedIdentifier => number / 2,
            _ => number,
        };
        if self.arrival.client == ClientKind::PaidPermit2 {
            draft.method = TransferMethod::Permit2;
            draft.unasked = number.is_multiple_of(2).then(|| unasked::gas_sponsoring(&draft));
        }
        draft.identifier = self.arrival.client.is_identified().then(|| self.payers.identifier(whose));
        draft
    }

    fn unix_now(&self) -> u64 {
        self.caller.clock().unix_now()
    }

    /// Collects like `collect`, and stops at a new bill.
    async fn collect_or_give_up(&self, ask: &Ask, payment: &Payment, kind: ExchangeKind) -> PurchaseOutcome {
        match self.collect(ask, payment, kind).await {
            Collected::Ended(outcome) => outcome,
            Collected::Billed(_) => PurchaseOutcome::Refused,
        }
    }

    /// A payment that must be refused, presented once.
    async fn be_refused(&self, ask: &Ask, payment: Payment, flaw: Flaw) -> Bought {
        let got = self.send(Sending::new(ask, ExchangeKind::Payment).with(&payment).flawed(flaw)).await;
        let outcome = match &got {
            Some(_) if is_served(got.as_ref()) => PurchaseOutcome::Served,
            // It was not to be settled, and may have been.
            None | Some(Got { answer: Answer { status: 503, .. }, .. }) => {
                self.collect_or_give_up(ask, &payment, ExchangeKind::Resend).await
            }
            Some(_) => PurchaseOutcome::Refused,
        };
        Bought { outcome, payments: vec![payment] }
    }

    /// Sends one signed payment until there is a final answer to it; `kind` is the first exchange's.
    async fn collect(&self, ask: &Ask, payment: &Payment, mut kind: ExchangeKind) -> Collected {
        loop {
            let got = self.send(Sending::new(ask, kind).with(payment)).await;
            let pause_s = match self.conclude(got) {
                Ok(collected) => return collected,
                Err(pause_s) => pause_s,
            };
            let pause = Duration::from_secs(pause_s);
            if self.caller.clock().now_us() + pause.as_micros() as u64 > self.give_up_us {
                return Collected::Ended(PurchaseOutcome::Unresolved);
            }
            tokio::time::sleep(pause).await;
            kind = ExchangeKind::Resend;
        }
    }

    /// The meaning of an answer to a payment, or after how many seconds to send it again.
    fn conclude(&self, got: Option<Got>) -> Result<Collected, u64> {
        match got {
            Some(Got { answer: Answer { status: 200..=299, .. }, .. }) => Ok(Collected::Ended(PurchaseOutcome::Served)),
            Some(Got { answer: Answer { status: 402, .. }, invoice }) => Ok(Collected::Billed(invoice)),
            Some(Got { answer, .. }) if is_over_a_limit(&answer) => Ok(Collected::Ended(PurchaseOutcome::Refused)),
            Some(Got { answer: Answer { status: 503 | 429, retry_after_s, .. }, .. }) => {
                Err(retry_after_s.unwrap_or(DEFAULT_PAUSE_S).min(MAX_PAUSE_S))
            }
            Some(_) => Ok(Collected::Ended(PurchaseOutcome::Refused)),
            None => Err(DEFAULT_PAUSE_S),
        }
    }
}

/// Nothing was charged, and the same request would meet the tenant's limit again, however long one waits.
fn is_over_a_limit(answer: &Answer) -> bool {
    let code = answer.code.as_deref();
    let is_limit = matches!(code, Some("tenant_cpu_limit_exceeded" | "tenant_subrequest_limit_exceeded"));
    is_limit && answer.payment_response.is_none()
}

fn is_served(got: Option<&Got>) -> bool {
    got.is_some_and(|got| (200..300).contains(&got.answer.status))
}
