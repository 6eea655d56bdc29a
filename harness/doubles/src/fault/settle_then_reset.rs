//! `settle-then-reset`: the money moves, then the connection dies with an RST.

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
    listed: Listed::new("settle-then-reset", "the money moves, then a TCP reset (settle)", "{}"),
    on: OnCalls::Settle,
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&["settle-then-reset = {}"]),
    compared: Compared::Yes,
};

pub struct SettleThenReset;

impl Behaviour for SettleThenReset {
    fn says(&self) -> String {
        "settles, then resets the connection".to_owned()
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        exchange.honest_reply().await?;
        Ok(Played::reset())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, how, io_kind, once},
    };
    use std::io;

    #[tokio::test]
    async fn settle_then_reset_moves_the_money_once() {
        let bench = Bench::new();
        let double = bench.double(once(Inject::SettleThenReset)).await;
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true, "verify is not its business");
        let error = bench.post(&double, "/settle", 1).await.unwrap_err();
        assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
        let again = bench.post(&double, "/settle", 1).await.unwrap();
        assert_eq!(again.1["success"], true);
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((how(&calls[1]), transfers), ("reset", 1));
    }
}
