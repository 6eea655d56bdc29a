//! A client that has one payment, for a path that fails each time and is therefore never charged, and presents it as fast as it
//! can. What it makes of the tenant's failures is one caller's sample: no other caller may be judged by it.

use super::Visit;
use crate::{ask::Ask, caller::Sending};
use reports::event::ExchangeKind;

const TIMES: usize = 20;

pub async fn sample(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let payment = visit.pay(&invoice, 0);
    let mut kind = ExchangeKind::Payment;
    for _ in 0..TIMES {
        visit.send(Sending::new(&ask, kind).with(&payment)).await;
        kind = ExchangeKind::Resend;
    }
    payment.key.into_iter().collect()
}
