//! A client that times out before its settlement is answered, and whose wallet signs afresh for the retry, under the same
//! payment-identifier. It must not be charged again; what it paid for first, it can still collect.

use super::{Bought, Visit, impatient::PATIENCE, is_served};
use crate::{ask::Ask, caller::Sending};
use reports::event::{ExchangeKind, PurchaseOutcome};

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payments = vec![visit.pay(&invoice, 0), visit.pay(&invoice, 1)];
    let first = Sending::new(&ask, ExchangeKind::Payment).with(&payments[0]).no_longer_than(PATIENCE);
    let got = visit.send(first).await;
    if is_served(got.as_ref()) {
        return Bought { outcome: PurchaseOutcome::Served, payments };
    }
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payments[1])).await;
    // Whichever came first has the identifier, and the answer to either may have been lost.
    let mut outcome = PurchaseOutcome::Refused;
    for payment in &payments {
        outcome = visit.collect_or_give_up(&ask, payment, ExchangeKind::Resend).await;
        if outcome != PurchaseOutcome::Refused {
            break;
        }
    }
    Bought { outcome, payments }
}
