//! A client that signs a payment, and sends nothing of the body that it is for. It costs its sender nothing to wait, so nothing that
//! others wait for may be held meanwhile.

use super::Visit;
use crate::{ask::Ask, caller::Sending};
use reports::event::ExchangeKind;
use reqwest::Method;
use std::time::Duration;

/// Longer than a body may take.
const AFTER: Duration = Duration::from_secs(40);

pub async fn hold(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask { method: Method::POST, body: "late".to_owned(), ..Ask::of(visit.arrival) };
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let payment = visit.pay(&invoice, 0);
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment).body_after(AFTER)).await;
    Vec::new()
}
