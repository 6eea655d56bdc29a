//! A client that buys, as a conforming client with an agent behind it does: it resends the same payment when it is told
//! that the outcome is open, and signs a new one when it is billed again. The latter is how a dispatcher that answers an
//! unknown settlement with a bill makes its callers pay twice, so the client must not be wiser than real ones.

use super::{
    caller::{Caller, Got, Send},
    payer::{Payers, Payment},
    schedule::Arrival,
};
use reports::event::{Answer, Event, ExchangeKind, Purchase, PurchaseOutcome};
use std::time::Duration;

/// How often a client signs for one purchase before its owner's budget says no.
const MAX_SIGNATURES: u64 = 3;
/// Pause before a resend where the answer names none, or there was no answer.
const DEFAULT_PAUSE_S: u64 = 1;
/// A client does not wait longer than this, whatever `Retry-After` says.
const MAX_PAUSE_S: u64 = 10;

/// Returns the keys of the payments it signed.
pub async fn purchase(caller: &Caller, payers: &Payers, arrival: &Arrival, give_up_us: u64) -> Vec<String> {
    let mut payments = Vec::new();
    let outcome = buy(caller, payers, arrival, give_up_us, &mut payments).await;
    caller.journal().record(Event::PurchaseEnded(Purchase {
        purchase: arrival.number,
        tenant: arrival.tenant.as_str().to_owned(),
        phase: caller.phase_at(arrival.due_us),
        payer: payers.address(arrival.number),
        outcome,
        payments: payments.clone(),
    }));
    payments
}

async fn buy(
    caller: &Caller,
    payers: &Payers,
    arrival: &Arrival,
    give_up_us: u64,
    payments: &mut Vec<String>,
) -> PurchaseOutcome {
    let challenge = Send { arrival, kind: ExchangeKind::Challenge, payment: None, due_us: arrival.due_us };
    let mut offer = match caller.exchange(challenge).await {
        Some(Got { offer: Some(offer), answer: Answer { status: 402, .. } }) => offer,
        Some(Got { answer: Answer { status: 200..=299, .. }, .. }) => return PurchaseOutcome::Served,
        _ => return PurchaseOutcome::Refused,
    };
    for attempt in 0..MAX_SIGNATURES {
        let Ok(payment) = payers.pay(&offer, arrival.number, attempt, caller.clock().unix_now()) else {
            return PurchaseOutcome::Refused;
        };
        payments.push(payment.key.clone());
        match collect(caller, arrival, &payment, give_up_us).await {
            Collected::Ended(outcome) => return outcome,
            // A refused settlement carries no new offer; the old one still stands.
            Collected::Billed(new) => offer = new.unwrap_or(offer),
        }
    }
    PurchaseOutcome::Refused
}

enum Collected {
    Ended(PurchaseOutcome),
    Billed(Option<String>),
}

/// Sends one signed payment until there is a final answer to it.
async fn collect(caller: &Caller, arrival: &Arrival, payment: &Payment, give_up_us: u64) -> Collected {
    let mut kind = ExchangeKind::Payment;
    loop {
        let due_us = caller.clock().now_us();
        let send = Send { arrival, kind, payment: Some((&payment.key, &payment.header)), due_us };
        let pause_s = match caller.exchange(send).await {
            Some(Got { answer: Answer { status: 200..=299, .. }, .. }) => {
                return Collected::Ended(PurchaseOutcome::Served);
            }
            Some(Got { answer: Answer { status: 402, .. }, offer }) => return Collected::Billed(offer),
            Some(Got { answer: Answer { status: 503, retry_after_s, .. }, .. }) => retry_after_s,
            Some(_) => return Collected::Ended(PurchaseOutcome::Refused),
            None => None,
        };
        let pause = Duration::from_secs(pause_s.unwrap_or(DEFAULT_PAUSE_S).min(MAX_PAUSE_S));
        if caller.clock().now_us() + pause.as_micros() as u64 > give_up_us {
            return Collected::Ended(PurchaseOutcome::Unresolved);
        }
        tokio::time::sleep(pause).await;
        kind = ExchangeKind::Resend;
    }
}
