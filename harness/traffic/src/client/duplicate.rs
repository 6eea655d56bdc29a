//! A client whose retries went wild: one signed payment, sent ten times at once. One of them may be served, the others must
//! be told so.

use super::{Bought, Visit, is_served};
use crate::{ask::Ask, caller::Sending};
use futures_util::future::join_all;
use reports::event::{ExchangeKind, PurchaseOutcome};

/// The requests at once: as many as a browser and its proxies may come to, and enough for a race to show.
const AT_ONCE: usize = 10;

pub async fn buy(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let racers = (0..AT_ONCE).map(|n| {
        let kind = if n == 0 { ExchangeKind::Payment } else { ExchangeKind::Duplicate };
        visit.send(Sending::new(&ask, kind).with(&payment))
    });
    let answers = join_all(racers).await;
    let outcome = if answers.iter().any(|got| is_served(got.as_ref())) {
        PurchaseOutcome::Served
    } else {
        visit.collect_or_give_up(&ask, &payment, ExchangeKind::Resend).await
    };
    Bought { outcome, payments: vec![payment] }
}
