//! A client that presents payments whose signatures may be a smart account's, by their length or by what they recover to:
//! only a facilitator can tell that there is none. It is the cheapest way to make a dispatcher ask, since nothing need be
//! signed or owned.

use super::{
    Visit,
    about::{About, NOT_TRIED},
};
use crate::{ask::Ask, caller::Sending, malformation::Malformation};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new(
        "unbacked",
        "pays with what only a facilitator can refuse: a signature that may be a smart account's and is not",
        "1",
    ),
    NOT_TRIED,
);

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let mut chance = visit.payers.chance(visit.arrival.number);
    let malformation = Malformation::of_nobody(&mut chance);
    let payment = malformation.payment(visit.draft(&invoice, 0), visit.unix_now(), &mut chance);
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment).flawed(malformation.flaw());
    visit.send(sending).await;
    Vec::new()
}
