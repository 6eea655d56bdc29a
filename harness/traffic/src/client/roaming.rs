//! A client on the move: it buys under a payment-identifier, and its network changes before it asks again. Its credentials and
//! identifier say who it is, so that it gets what it bought wherever it is.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    is_served, paid,
};
use crate::{addresses::elsewhere, ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    purchases_an_identifier: Some(1),
    credentials: Some("user-"),
    ..About::buyer(
        Listed::new("roaming", "buys under a payment-identifier, and collects it again from another address", "1"),
        Swarm::Sometimes,
    )
};

const TIMES: usize = 2;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let mut bought = paid::act(visit).await;
    if let (PurchaseOutcome::Served, Some(payment)) = (bought.outcome, bought.payments.last()) {
        let ask = Ask::of(visit.arrival);
        for _ in 0..TIMES {
            let sending = Sending::new(&ask, ExchangeKind::Resend).with(payment).from(elsewhere(visit.arrival.address));
            if !is_served(visit.send(sending).await.as_ref()) {
                bought.outcome = PurchaseOutcome::Refused;
            }
        }
    }
    bought
}
