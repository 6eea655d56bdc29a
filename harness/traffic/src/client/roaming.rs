//! A client on the move: it buys under a payment-identifier, and its network changes before it asks again. Its credentials and
//! identifier say who it is, so that it gets what it bought wherever it is.

use super::{Bought, Visit, is_served, paid};
use crate::{addresses::elsewhere, ask::Ask, caller::Sending};
use reports::event::{ExchangeKind, PurchaseOutcome};

const TIMES: usize = 2;

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let mut bought = paid::buy(visit).await;
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
