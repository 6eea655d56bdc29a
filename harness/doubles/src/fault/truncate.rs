//! `truncate`: the honest answer, announced whole and cut off half-way by a clean close. The money moves.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("truncate", "the answer, cut off in its middle; the money moves", "{}"),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["truncate = {}"]),
    compared: Compared::Yes,
};

pub struct Truncate;

impl Behaviour for Truncate {
    fn says(&self) -> String {
        "answers, and breaks off in the middle".to_owned()
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        let reply = exchange.honest_reply().await?;
        let half = &reply.body[..reply.body.len() / 2];
        let sent = exchange.caller.send(&[reply.head().as_slice(), half].concat()).await;
        Ok(if sent.is_ok() { Played::closed("truncated") } else { Played::caller_gone() })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, Payer, always, how},
    };

    #[tokio::test]
    async fn a_truncated_answer_ends_before_its_length() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Truncate)).await;
        let answer = bench.client.post(format!("{}/settle", double.url())).body(Payer::new(1).body(1)).send().await;
        let answer = answer.expect("the head comes whole");
        assert_eq!(answer.status(), 200);
        let error = answer.bytes().await.unwrap_err();
        assert!(!error.is_timeout(), "{error:?}");
        assert!(
            format!("{error:?}").contains("IncompleteMessage") || format!("{error:?}").contains("UnexpectedEof"),
            "{error:?}"
        );
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((how(&calls[0]), transfers), ("truncated", 1));
    }
}
