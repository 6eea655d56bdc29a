//! A client whose payment is broken in a way that is drawn from the seed. It knows how it must be refused, and never buys.

use super::{
    Visit,
    about::{About, Swarm},
};
use crate::{ask::Ask, caller::Sending, malformation::Malformation};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("malformed", "breaks a signed payment in one of some sixty ways, drawn from the seed", "1"),
    Swarm::Sometimes,
);

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let (number, now) = (visit.arrival.number, visit.unix_now());
    let mut chance = visit.payers.chance(number);
    let malformation = Malformation::any(&mut chance);
    let payment = malformation.payment(visit.draft(&invoice, 0), now, &mut chance);
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment).flawed(malformation.flaw());
    visit.send(sending).await;
    Vec::new()
}
