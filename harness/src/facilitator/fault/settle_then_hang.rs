//! `settle-then-hang`: the money moves and the answer never comes. The case that makes a naive server charge twice.

use crate::facilitator::exchange::{Exchange, OriginError, Played};

pub async fn play(exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    exchange.honest_reply().await?;
    exchange.caller.gone().await;
    Ok(Played::hung())
}
