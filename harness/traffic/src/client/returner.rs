//! A client that is cut off at one moment or another, and comes back with the same payment from where it was. One of the moments
//! is after its answer left: what a network has handed to the next hop has not arrived. Whenever it was, it gets what it paid for.

use super::{
    Bought, Visit,
    about::{About, Swarm},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};
use std::time::Duration;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new(
        "returner",
        "hangs up at one of several moments, the one after its answer left included, and comes back with the payment",
        "1",
    ),
    Swarm::Sometimes,
);

/// How long it stays: through the verification, the tenant's run, or the settlement. The last hears the answer, and loses it.
const STAYS_MS: [Option<u64>; 6] = [Some(15), Some(60), Some(350), Some(700), Some(1_500), None];
/// How long it is away: less and more than a confirmation takes that the answer left.
const AWAY_MS: [u64; 4] = [200, 1_200, 4_000, 12_000];
/// It comes back so often.
const TIMES: usize = 2;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let mut chance = visit.payers.chance(visit.arrival.number);
    let stays = STAYS_MS[visit.arrival.number as usize % STAYS_MS.len()];
    let sending = Sending::new(&ask, ExchangeKind::Payment).with(&payment);
    let sending = match stays {
        Some(ms) => sending.no_longer_than(Duration::from_millis(ms)),
        None => sending,
    };
    visit.send(sending).await;
    let mut outcome = PurchaseOutcome::Refused;
    for _ in 0..TIMES {
        tokio::time::sleep(Duration::from_millis(AWAY_MS[chance.usize(..AWAY_MS.len())])).await;
        outcome = visit.collect_or_give_up(&ask, &payment, ExchangeKind::Resend).await;
        if outcome != PurchaseOutcome::Served {
            break;
        }
    }
    Bought { outcome, payments: vec![payment] }
}
