//! A client that sends its payment and then thinks of something else: it comes back minutes later, half an hour later, and after
//! days. What it was charged for it has at one of these times; and what becomes of it in between is the dispatcher's own doing.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    is_served,
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};
use std::time::Duration;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    takes_days: true,
    ..About::buyer(
        Listed::new(
            "late",
            "comes back with its payment after minutes, half an hour and four days (only = \"sim\")",
            "1",
        ),
        Swarm::Never { because: "it comes back after days" },
    )
};

/// Between two times at which it comes: within the minutes in which it may collect, past these, and past a weekend.
const AWAY: [Duration; 3] =
    [Duration::from_secs(8 * 60), Duration::from_secs(30 * 60), Duration::from_secs(4 * 24 * 3_600)];

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let first = visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment)).await;
    let mut outcome = if is_served(first.as_ref()) { PurchaseOutcome::Served } else { PurchaseOutcome::Unresolved };
    for away in AWAY {
        tokio::time::sleep(away).await;
        let got = visit.send(Sending::new(&ask, ExchangeKind::Resend).with(&payment)).await;
        if is_served(got.as_ref()) {
            outcome = PurchaseOutcome::Served;
        }
    }
    Bought { outcome, payments: vec![payment] }
}
