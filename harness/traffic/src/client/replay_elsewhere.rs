//! A client that tries to have more for one payment than it buys: on another path, method, query, body and tenant, first while
//! its own request is in flight, then once that was served.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    is_served,
};
use crate::{
    ask::Ask,
    caller::{Got, Sending},
    payer::Payment,
};
use futures_util::future::join_all;
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};
use reqwest::Method;
use std::time::Duration;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About::buyer(
    Listed::new(
        "replay-elsewhere",
        "presents its payment on another path, method, query and tenant, in flight and after it was served",
        "1",
    ),
    Swarm::Sometimes,
);

/// How far its own request is ahead of the others: enough to hold the payment, well within a slow tenant's run.
const HEAD_START: Duration = Duration::from_millis(150);

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = own(visit);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let payment = visit.pay(&invoice, 0);
    let meanwhile = async {
        tokio::time::sleep(HEAD_START).await;
        present_elsewhere(visit, &ask, &payment).await
    };
    let own = visit.collect_or_give_up(&ask, &payment, ExchangeKind::Payment);
    let (own, others) = tokio::join!(own, meanwhile);
    // Where one of the others was faster, that is the request which was bought.
    let outcome = if others.iter().any(|(_, got)| is_served(got.as_ref())) {
        PurchaseOutcome::Served
    } else if let (false, Some((bought, _))) = (own == PurchaseOutcome::Served, others.iter().find(is_pending)) {
        // Its own was given back before, and this one has the payment now.
        visit.collect_or_give_up(bought, &payment, ExchangeKind::Elsewhere).await
    } else {
        own
    };
    present_elsewhere(visit, &ask, &payment).await;
    Bought { outcome, payments: vec![payment] }
}

/// Every other one buys the answer to what it posts.
fn own(visit: &Visit<'_>) -> Ask {
    let ask = Ask::of(visit.arrival);
    if visit.arrival.number.is_multiple_of(2) {
        return ask;
    }
    Ask { method: Method::POST, body: format!("{{\"order\":{}}}", visit.arrival.number), ..ask }
}

type Other = (Ask, Option<Got>);

fn is_pending((_, got): &&Other) -> bool {
    got.as_ref().is_some_and(|got| got.answer.code.as_deref() == Some("settlement_pending"))
}

async fn present_elsewhere(visit: &Visit<'_>, own: &Ask, payment: &Payment) -> Vec<Other> {
    let sent = elsewhere(visit, own).into_iter().map(|ask| async move {
        let got = visit.send(Sending::new(&ask, ExchangeKind::Elsewhere).with(payment)).await;
        (ask, got)
    });
    join_all(sent).await
}

fn elsewhere(visit: &Visit<'_>, own: &Ask) -> Vec<Ask> {
    let neighbour = visit.arrival.neighbour.as_ref().map(|tenant| tenant.as_str().to_owned());
    [
        Some(Ask { path: "/dearer".to_owned(), ..own.clone() }),
        Some(Ask { method: if own.method == Method::POST { Method::PUT } else { Method::POST }, ..own.clone() }),
        (!own.body.is_empty()).then(|| Ask { body: "{\"order\":\"all\"}".to_owned(), ..own.clone() }),
        Some(Ask { query: format!("{}&all=1", own.query), ..own.clone() }),
        neighbour.map(|tenant| Ask { tenant, ..own.clone() }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
