//! A client that pays under others' payment-identifiers, which can be guessed. It has paid, and still has no right to more than the
//! name for a while.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
    squatter::others,
};
use crate::{ask::Ask, caller::Sending};
use futures_util::future::join_all;
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(Listed::new("paying-squatter", "pays under other purchases' payment-identifiers", "1"), AN_ATTACK)
};

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let payments: Vec<_> = others(visit.arrival.number)
        .map(|other| {
            let mut draft = visit.draft(&invoice, other);
            draft.identifier = Some(visit.payers.identifier(other));
            draft.sign()
        })
        .collect();
    // All at once: for as long as the tenant runs for it, it has each of these names.
    let send = |payment| visit.send(Sending::new(&ask, ExchangeKind::Payment).with(payment));
    join_all(payments.iter().map(send)).await;
    payments.into_iter().filter_map(|payment| payment.key).collect()
}
