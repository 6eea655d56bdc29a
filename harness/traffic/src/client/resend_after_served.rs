//! A client that has its content and presents the same payment again, as a proxy that replays requests does. It must not
//! be charged again. Under a payment-identifier it gets what it bought; else it is not served twice, and is told which
//! transaction the payment went into.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    paid,
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new("resend-after-served", "has its content, and presents the same payment twice more", "1"),
    Swarm::Sometimes,
);

const TIMES: usize = 2;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let bought = paid::act(visit).await;
    if let (PurchaseOutcome::Served, Some(payment)) = (bought.outcome, bought.payments.last()) {
        let ask = Ask::of(visit.arrival);
        for _ in 0..TIMES {
            visit.send(Sending::new(&ask, ExchangeKind::Resend).with(payment)).await;
        }
    }
    bought
}
