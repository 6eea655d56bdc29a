//! `hang`: the request is read and never answered. The money stays, and the call lasts until the caller gives up.

use crate::facilitator::exchange::{Exchange, Played};

pub async fn play(exchange: &mut Exchange<'_>) -> Played {
    exchange.caller.gone().await;
    Played::hung()
}
