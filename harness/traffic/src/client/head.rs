//! A client that asks for heads: without a payment, and with the one that it then buys with. A HEAD must cost nothing and
//! leave the payment whole.

use super::{
    Bought, Visit,
    about::{About, Swarm},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;
use reqwest::Method;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("head", "sends HEAD without and with its payment, then buys by GET", "1"),
    Swarm::Sometimes,
);

pub async fn act(visit: &Visit<'_>) -> Bought {
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
