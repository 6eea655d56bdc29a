//! A client that has one payment, for a path that fails each time and is therefore never charged, and presents it as fast as it
//! can. What it makes of the tenant's failures is one caller's sample: no other caller may be judged by it.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new(
            "one-address-sampler",
            "presents one payment twenty times, for a path that may fail each time",
            "1",
        ),
        AN_ATTACK,
    )
};

const TIMES: usize = 20;

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
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
