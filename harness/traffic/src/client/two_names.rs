//! A client that names two tenants in one request: one by the host, another by the path. The host decides where it is a tenant's,
//! and then the path is that tenant's own.

use super::{
    Visit,
    about::{About, ClientRole, NOT_TRIED},
};
use crate::{ask::Ask, caller::Sending};
use grammar::Listed;
use reports::event::ExchangeKind;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Looker,
    ..About::buyer(
        Listed::new("two-names", "asks one tenant's host for a path that names another tenant", "1"),
        NOT_TRIED,
    )
};

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let own = Ask { by_host: true, ..Ask::of(visit.arrival) };
    let other = visit.arrival.neighbour.as_ref().map_or("nobody", |tenant| tenant.as_str());
    let ask = Ask { path: format!("/t/{other}{}", own.path), ..own };
    visit.send(Sending::new(&ask, ExchangeKind::Unpaid).due(visit.arrival.due_us)).await;
    Vec::new()
}
