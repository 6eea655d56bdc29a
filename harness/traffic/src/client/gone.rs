//! A client that sends its payment once, and never comes back. What becomes of the payment is for the dispatcher alone to see to:
//! no later request reminds it.

use super::Visit;
use crate::{ask::Ask, caller::Sending};
use reports::event::ExchangeKind;

pub async fn pay(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let payment = visit.pay(&invoice, 0);
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment)).await;
    payment.key.into_iter().collect()
}
