//! A client whose payment is broken in a way that is drawn from the seed. It knows how it must be refused, and never buys.

use super::Visit;
use crate::{ask::Ask, caller::Sending, malformation::Malformation};
use reports::event::ExchangeKind;

pub async fn try_it(visit: &Visit<'_>) -> Vec<String> {
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
