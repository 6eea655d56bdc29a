//! A client that sends its payment once, and never comes back. What becomes of the payment is for the dispatcher alone to see to:
//! no later request reminds it.

use super::{
    Visit,
    about::{About, ClientRole, Swarm},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Leaver,
    ..About::buyer(
        Listed::new("gone", "sends its payment once, and never comes back, whatever it is told", "1"),
        Swarm::Never { because: "nobody asks for what it has paid, so there is no answer to judge" },
    )
};

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let ask = Ask::of(visit.arrival);
    let Ok(invoice) = visit.challenge(&ask).await else { return Vec::new() };
    let payment = visit.pay(&invoice, 0);
    visit.send(Sending::new(&ask, ExchangeKind::Payment).with(&payment)).await;
    payment.key.into_iter().collect()
}
