//! A client that asks without ever paying.

use super::{
    Visit,
    about::{About, ClientRole, Swarm},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Looker,
    ..About::buyer(Listed::new("unpaid", "asks without ever paying", "2"), Swarm::Sometimes)
};

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    visit.send(Sending::new(&Ask::of(visit.arrival), ExchangeKind::Unpaid).due(visit.arrival.due_us)).await;
    Vec::new()
}
