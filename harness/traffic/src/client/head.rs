//! A client that asks for heads: without a payment, and with the one that it then buys with. A HEAD must cost nothing and
//! leave the payment whole.

use super::{Bought, Visit};
use crate::{ask::Ask, caller::Sending};
use reports::event::ExchangeKind;
use reqwest::Method;

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let head = Ask { method: Method::HEAD, ..ask.clone() };
    visit.send(Sending::new(&head, ExchangeKind::Challenge).due(visit.arrival.due_us)).await;
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    visit.send(Sending::new(&head, ExchangeKind::Payment).with(&payment)).await;
    let outcome = visit.collect_or_give_up(&ask, &payment, ExchangeKind::Payment).await;
    Bought { outcome, payments: vec![payment] }
}
