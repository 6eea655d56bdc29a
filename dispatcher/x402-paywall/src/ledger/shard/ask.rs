//! How a request's side reaches a payment: at its shard, and from there at its former place, once.

use super::{Placed, Routed};
use crate::{
    ledger::layout::{Layout, Place},
    ports::LedgerError,
};

/// Asks the payment's shard by `call`, and the place that it sends on to.
pub async fn ask<R>(
    layout: &Layout,
    payment: &str,
    call: impl AsyncFn(&Place, Routed<'_>) -> Result<Placed<R>, LedgerError>,
) -> Result<R, LedgerError> {
    let routed = |is_sent_on| Routed { payment, shards: layout.shards(), is_sent_on };
    let place = match call(&Place::Shard(layout.shard_of(payment)), routed(false)).await? {
        Placed::Here(answer) => return Ok(answer),
        Placed::At(place) => place,
    };
    match call(&place, routed(true)).await? {
        Placed::Here(answer) => Ok(answer),
        Placed::At(_) => Err(LedgerError("the payment's former place sent on".to_owned())),
    }
}
