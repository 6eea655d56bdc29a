//! A client that presents payments which look like a smart account's: only a facilitator can tell that there is none. The
//! cheapest way to make a dispatcher ask, since nothing need be signed or owned.

use super::Visit;
use crate::traffic::{ask::Ask, caller::Sending, malformation::Malformation};
use reports::event::ExchangeKind;

pub async fn try_it(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let (malformation, mut chance) = (Malformation::of_no_smart_account(), visit.payers.chance(visit.arrival.number));
    let payment = malformation.payment(visit.draft(&invoice, 0), visit.unix_now(), &mut chance);
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment).flawed(malformation.flaw());
    visit.send(sending).await;
    Vec::new()
}
