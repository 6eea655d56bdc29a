//! A browser, before it lets a page send a payment to another origin. It sends no payment with this and never will pay for
//! the question.

use super::{
    Visit,
    about::{About, ClientRole, Swarm},
};
use crate::{ask::Ask, caller::Sending};
use facts::clients::ASKED_METHOD;
use grammar::Listed;
use reports::event::ExchangeKind;
use reqwest::Method;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Looker,
    ..About::buyer(
        Listed::new("preflight", "asks, as a browser does, whether a page may send a payment", "1"),
        Swarm::Sometimes,
    )
};

const HEADERS: &[(&str, &str)] = &[
    ("origin", "https://shop.example"),
    ("access-control-request-method", ASKED_METHOD),
    ("access-control-request-headers", "content-type,payment-signature"),
];

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask { method: Method::OPTIONS, ..Ask::of(visit.arrival) };
    visit.send(Sending::new(&ask, ExchangeKind::Preflight).due(visit.arrival.due_us).headers(HEADERS)).await;
    Vec::new()
}
