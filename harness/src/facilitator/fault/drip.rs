//! `drip`: the head of the honest answer at once, then its body a byte at a time. The money moves.
//!
//! A client that only times out on headers waits for all of it.

use crate::facilitator::exchange::{Exchange, OriginError, Played};
use std::time::Duration;

pub async fn play(every: Duration, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    let reply = exchange.honest_reply().await?;
    if exchange.caller.send(&reply.head()).await.is_err() {
        return Ok(Played::caller_gone());
    }
    for byte in &reply.body {
        if exchange.caller.gone_within(every).await || exchange.caller.send(&[*byte]).await.is_err() {
            return Ok(Played::caller_gone());
        }
    }
    Ok(Played::sent(&reply))
}
