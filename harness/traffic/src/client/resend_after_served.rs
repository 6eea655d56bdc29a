//! A client that has its content and presents the same payment again, as a proxy that replays requests does. It must not
//! be charged again. Under a payment-identifier it gets what it bought; else it is not served twice, and is told which
//! transaction the payment went into.

use super::{Bought, Visit, paid};
use crate::{ask::Ask, caller::Sending};
use reports::event::{ExchangeKind, PurchaseOutcome};

const TIMES: usize = 2;

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let bought = paid::buy(visit).await;
    if let (PurchaseOutcome::Served, Some(payment)) = (bought.outcome, bought.payments.last()) {
        let ask = Ask::of(visit.arrival);
        for _ in 0..TIMES {
            visit.send(Sending::new(&ask, ExchangeKind::Resend).with(payment)).await;
        }
    }
    bought
}
