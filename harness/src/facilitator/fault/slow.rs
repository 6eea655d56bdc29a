//! `slow`: the work starts late, and then is honest.
//!
//! It is done even if the caller has gone: a real facilitator with a backlog does not notice either, so the money may move
//! after the caller's time-out.

use crate::facilitator::exchange::{Exchange, OriginError, Played};
use std::time::Duration;

pub async fn play(by: Duration, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    tokio::time::sleep(by).await;
    exchange.answer().await
}
