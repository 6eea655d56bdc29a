//! A client that presents its payment once and takes the first answer, whatever it is: what callers do that have no agent behind
//! them. It may leave what it paid for uncollected.

use super::{
    Bought, Visit,
    about::{About, NOT_TRIED},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("once", "presents its payment once, and takes the first answer, whatever it is", "1"),
    NOT_TRIED,
);

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let got = visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment)).await;
    let outcome = match got.map(|got| got.answer.status) {
        Some(200..=299) => PurchaseOutcome::Served,
        None | Some(429 | 500..) => PurchaseOutcome::Unresolved,
        Some(_) => PurchaseOutcome::Refused,
    };
    Bought { outcome, payments: vec![payment] }
}
