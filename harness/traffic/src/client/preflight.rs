//! A browser, before it lets a page send a payment to another origin. It sends no payment with this and never will pay for
//! the question.

use super::Visit;
use crate::{ask::Ask, caller::Sending};
use facts::clients::ASKED_METHOD;
use reports::event::ExchangeKind;
use reqwest::Method;

const HEADERS: &[(&str, &str)] = &[
    ("origin", "https://shop.example"),
    ("access-control-request-method", ASKED_METHOD),
    ("access-control-request-headers", "content-type,payment-signature"),
];

pub async fn ask(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask { method: Method::OPTIONS, ..Ask::of(visit.arrival) };
    visit.send(Sending::new(&ask, ExchangeKind::Preflight).due(visit.arrival.due_us).headers(HEADERS)).await;
    Vec::new()
}
