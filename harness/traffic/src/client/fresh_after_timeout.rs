//! A client that times out before its settlement is answered, and whose wallet signs afresh for the retry, under the same
//! payment-identifier. It must not be charged again; what it paid for first, it can still collect.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    impatient::PATIENCE,
    is_served,
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    purchases_an_identifier: Some(1),
    ..About::buyer(
        Listed::new(
            "fresh-after-timeout",
            "hangs up while it is being charged, and signs afresh under the same payment-identifier",
            "1",
        ),
        Swarm::Sometimes,
    )
};

pub async fn act(visit: &Visit<'_>) -> Bought {
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
