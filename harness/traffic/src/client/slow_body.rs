//! A client that signs a payment, and sends nothing of the body that it is for. It costs its sender nothing to wait, so nothing that
//! others wait for may be held meanwhile.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;
use reqwest::Method;
use std::time::Duration;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new("slow-body", "pays for a POST, and sends nothing of its body for forty seconds", "1"),
        AN_ATTACK,
    )
};

/// Longer than a body may take.
const AFTER: Duration = Duration::from_secs(40);

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask { method: Method::POST, body: "late".to_owned(), ..Ask::of(visit.arrival) };
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let payment = visit.pay(&invoice, 0);
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment).body_after(AFTER)).await;
    Vec::new()
}
