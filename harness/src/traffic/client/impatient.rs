//! A client that loses patience: it hangs up while its payment is on its way to be settled, and asks again later with the
//! same payment. It must have its content then, since it may have been charged.

use super::{Bought, Visit};
use crate::traffic::{ask::Ask, caller::Sending};
use reports::event::{ExchangeKind, PurchaseOutcome};
use std::time::Duration;

/// Long enough for a payment to be verified and the tenant to run, less than a slow settlement takes.
const PATIENCE: Duration = Duration::from_millis(600);
/// Until it remembers that it wanted something.
const AWAY: Duration = Duration::from_millis(1_500);

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment).no_longer_than(PATIENCE);
    let outcome = match visit.send(sending).await.map(|got| got.answer.status) {
        Some(200..=299) => PurchaseOutcome::Served,
        _ => {
            tokio::time::sleep(AWAY).await;
            visit.collect_or_give_up(&ask, &payment, ExchangeKind::Resend).await
        }
    };
    Bought { outcome, payments: vec![payment] }
}
