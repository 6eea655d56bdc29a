//! A client of many workers that all buy the same thing under one payment-identifier, each with a payment of its own. One of
//! them may be charged.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    is_served,
};
use crate::{ask::Ask, caller::Sending};
use futures_util::future::join_all;
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    purchases_an_identifier: Some(1),
    ..About::buyer(
        Listed::new("identifier-race", "sends eight fresh payments under one payment-identifier at once", "1"),
        Swarm::Sometimes,
    )
};

/// The requests at once: as many as the closest peer's check sends.
const AT_ONCE: u64 = 8;

pub async fn act(visit: &Visit<'_>) -> Bought {
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
