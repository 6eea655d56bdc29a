//! One client at one arrival: one file a kind, named as a scenario's mix names it, and here the steps they share.

mod about;
mod kind;

// One line a kind, in the order of the lists.
kind::clients! {
    Paid = paid;
    Unpaid = unpaid;
    Duplicate = duplicate;
    ReplayElsewhere = replay_elsewhere;
    ResendAfterServed = resend_after_served;
    Malformed = malformed;
    Unbacked = unbacked;
    Impatient = impatient;
    Away = away;
    Once = once;
    Head = head;
    Forger = forger;
    Skewed = skewed;
    ShortLived = short_lived;
    Preflight = preflight;
    Identified = identified;
    IdentifierRace = identifier_race;
    FreshAfterTimeout = fresh_after_timeout;
    PaidV1 = paid_v1;
    MalformedV1 = malformed_v1;
    TriesAgain = tries_again;
    SharedIdentifier = shared_identifier;
    TwoNames = two_names;
    PaidPermit2 = paid_permit2;
    Hostile = hostile;
    Authorized = authorized;
    Keyed = keyed;
    Roaming = roaming;
    Returner = returner;
    PreflightThief = preflight_thief;
    ChainObserver = chain_observer;
    Blamer = blamer;
    Squatter = squatter;
    PayingSquatter = paying_squatter;
    Differential = differential;
    SlowBody = slow_body;
    Guesser = guesser;
    OneAddressSampler = one_address_sampler;
    Late = late;
    LateIdentified = late_identified;
    Gone = gone;
}

pub use about::Swarm;

use about::About;

use super::{
    ask::Ask,
    caller::{Caller, Got, Sending},
    payer::{Draft, Invoice, Payers, Payment},
    schedule::Arrival,
};
use reports::event::{Answer, Event, ExchangeKind, Flaw, Purchase, PurchaseOutcome};
use std::time::Duration;

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

/// The outcome of a visit.
enum Visited {
    Bought(Bought),
    /// No purchase: the keys of the payments that were signed.
    Signed(Vec<String>),
}

impl From<Bought> for Visited {
    fn from(bought: Bought) -> Self {
        Self::Bought(bought)
    }
}

impl From<Vec<String>> for Visited {
    fn from(payments: Vec<String>) -> Self {
        Self::Signed(payments)
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
        let bought = match self.act().await {
            Visited::Bought(bought) => bought,
            Visited::Signed(payments) => return payments,
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
        let About { headers, credentials, .. } = *self.arrival.client.about();
        let sending = if headers.is_empty() { sending } else { sending.headers(headers) };
        let sending = match credentials {
            Some(beginning) => sending.with_credentials_of(format!("{beginning}{}", self.arrival.number)),
            None => sending,
        };
        self.caller.exchange(self.arrival, sending).await
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
        let About { purchases_an_identifier, alter, .. } = *self.arrival.client.about();
        alter(&mut draft, number);
        draft.identifier = purchases_an_identifier.map(|purchases| self.payers.identifier(number / purchases));
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
