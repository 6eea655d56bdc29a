//! A client that was told that its tenant failed, and presents the same payment again: it was not charged, so the payment is
//! as good as before; and where it was charged upfront, it is still owed what it paid for.

use super::{
    Bought, Visit,
    about::{About, NOT_TRIED},
    is_served,
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};
use std::time::Duration;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About =
    About::buyer(Listed::new("tries-again", "presents a payment again for which its tenant failed", "1"), NOT_TRIED);

/// More than a tenant has processes, each of which may fail first.
const TIMES: usize = 6;
const PAUSE: Duration = Duration::from_secs(1);

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let (mut outcome, mut kind) = (PurchaseOutcome::Refused, ExchangeKind::Payment);
    for _ in 0..TIMES {
        if is_served(visit.send(Sending::new(&ask, kind).with(&payment)).await.as_ref()) {
            outcome = PurchaseOutcome::Served;
            break;
        }
        kind = ExchangeKind::Resend;
        tokio::time::sleep(PAUSE).await;
    }
    Bought { outcome, payments: vec![payment] }
}
