//! `drip`: the head of the honest answer at once, then its body a byte at a time. The money moves.
//!
//! A client that only times out on headers waits for all of it.

use super::about::{About, Compared, Drawn, Moves};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::Listed;
use std::time::Duration;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("drip", "the answer, a byte at a time; the money moves", "{ every = \"200ms\" }"),
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it takes a call longer than a drawn window lasts" },
    compared: Compared::Not { because: "a late answer is an answer to both servers" },
};

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

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, Payer, always, how},
    };
    use std::time::Duration;

    #[tokio::test]
    async fn a_dripped_answer_arrives_whole_for_who_waits() {
        let mut bench = Bench::new();
        let double = bench.double(always(Inject::Drip { every: Duration::from_millis(1) })).await;
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
        assert_eq!(how(&bench.next_call().await), "sent");
        let head =
            bench.client.post(format!("{}/verify", double.url())).body(Payer::new(1).body(1)).send().await.unwrap();
        drop(head);
        assert_eq!(how(&bench.next_call().await), "caller-gone");
        bench.stop(double).await;
    }
}
