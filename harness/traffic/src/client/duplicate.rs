//! A client whose retries went wild: one signed payment, sent ten times at once, and written in two ways. It is one payment in
//! either: one of them may be served, the others must be told so.

use super::{
    Bought, Visit,
    about::{About, Swarm},
    is_served,
};
use crate::{
    ask::Ask,
    caller::Sending,
    payer::{Draft, Payment, plain},
};
use futures_util::future::join_all;
use grammar::Listed;
use reports::event::{ExchangeKind, PurchaseOutcome};
use x402_protocol::header;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About =
    About::buyer(Listed::new("duplicate", "sends one signed payment ten times at once", "1"), Swarm::Sometimes);

/// The requests at once: as many as a browser and its proxies may come to, and enough for a race to show.
const AT_ONCE: usize = 10;

pub async fn act(visit: &Visit<'_>) -> Bought {
    let ask = Ask::of(visit.arrival);
    let invoice = match visit.challenge(&ask).await {
        Ok(invoice) => invoice,
        Err(ended) => return ended,
    };
    let draft = visit.draft(&invoice, 0);
    let payment = draft.sign();
    let spellings: Vec<_> = (0..AT_ONCE).map(|n| spelled(&draft, n)).collect();
    let racers = spellings.iter().enumerate().map(|(n, payment)| {
        let kind = if n == 0 { ExchangeKind::Payment } else { ExchangeKind::Duplicate };
        visit.send(Sending::new(&ask, kind).with(payment))
    });
    let answers = join_all(racers).await;
    let outcome = if answers.iter().any(|got| is_served(got.as_ref())) {
        PurchaseOutcome::Served
    } else {
        visit.collect_or_give_up(&ask, &payment, ExchangeKind::Resend).await
    };
    Bought { outcome, payments: vec![payment] }
}

/// The payment, with white space in it every other time.
fn spelled(draft: &Draft<'_>, n: usize) -> Payment {
    let payment = draft.sign();
    let json = draft.json(&draft.signature());
    let text = if n.is_multiple_of(2) { json.to_string() } else { format!("{json:#}") };
    Payment { header: plain(header::encode_text(&text)), ..payment }
}
