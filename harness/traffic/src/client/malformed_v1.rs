//! A client of version 1 that signs less than is asked. Its payment says nothing of the offer, so what was signed is all that can be
//! held against the price.

use super::{
    Visit,
    about::{About, NOT_TRIED},
};
use crate::{ask::Ask, caller::Sending, malformation::Malformation};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About =
    About::buyer(Listed::new("malformed-v1", "signs less than is asked, in a payment of version 1", "1"), NOT_TRIED);

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let (malformation, mut chance) = (Malformation::of_v1(), visit.payers.chance(visit.arrival.number));
    let payment = malformation.payment(visit.draft(&invoice, 0), visit.unix_now(), &mut chance);
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment).flawed(malformation.flaw());
    visit.send(sending).await;
    Vec::new()
}
