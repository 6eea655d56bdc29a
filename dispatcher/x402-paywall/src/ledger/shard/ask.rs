//! How a request's side reaches a payment: at its shard, and from there at its former place, once.

use super::{Placed, Routed};
use crate::{
    ledger::layout::{Layout, Place},
    ledger_error::LedgerError,
};

/// Asks the payment's shard by `call`, and the place that it sends on to.
pub async fn ask<R>(
    layout: &Layout,
    payment: &str,
    call: impl AsyncFn(&Place, Routed<'_>) -> Result<Placed<R>, LedgerError>,
) -> Result<R, LedgerError> {
    let routed = |is_sent_on| Routed { payment, shards: layout.shards(), is_sent_on };
    let shard = Place::Shard(layout.shard_of(payment));
    // Boxed: a request's future would otherwise hold every step of the ledger twice.
    let place = match Box::pin(call(&shard, routed(false))).await? {
        Placed::Here(answer) => return Ok(answer),
        Placed::At(place) => place,
    };
    match Box::pin(call(&place, routed(true))).await? {
        Placed::Here(answer) => Ok(answer),
        Placed::At(_) => Err(LedgerError("the payment's former place sent on".to_owned())),
    }
}
