//! A client of many workers that all buy the same thing under one payment-identifier, each with a payment of its own. One of
//! them may be charged.

use super::{Bought, Visit, is_served};
use crate::{ask::Ask, caller::Sending};
use futures_util::future::join_all;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The requests at once: as many as the closest peer's check sends.
const AT_ONCE: u64 = 8;

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payments: Vec<_> = (0..AT_ONCE).map(|attempt| visit.pay(&invoice, attempt)).collect();
    let racers = payments.iter().map(|payment| visit.send(Sending::new(&ask, ExchangeKind::Payment).with(payment)));
    let answers = join_all(racers).await;
    if answers.iter().any(|got| is_served(got.as_ref())) {
        return Bought { outcome: PurchaseOutcome::Served, payments };
    }
    // None of them knows which one is taken: each asks again until one is told.
    let mut outcome = PurchaseOutcome::Refused;
    for payment in &payments {
        outcome = visit.collect_or_give_up(&ask, payment, ExchangeKind::Resend).await;
        if outcome != PurchaseOutcome::Refused {
            break;
        }
    }
    Bought { outcome, payments }
}
