//! `truncate`: the honest answer, announced whole and cut off half-way by a clean close. The money moves.

use crate::facilitator::exchange::{Exchange, OriginError, Played};

pub async fn play(exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    let reply = exchange.honest_reply().await?;
    let half = &reply.body[..reply.body.len() / 2];
    let sent = exchange.caller.send(&[reply.head().as_slice(), half].concat()).await;
    Ok(if sent.is_ok() { Played::closed("truncated") } else { Played::caller_gone() })
}
