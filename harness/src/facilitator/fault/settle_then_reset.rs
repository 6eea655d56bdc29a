//! `settle-then-reset`: the money moves, then the connection dies with an RST.

use crate::facilitator::exchange::{Exchange, OriginError, Played};

pub async fn play(exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    exchange.honest_reply().await?;
    Ok(Played::reset())
}
