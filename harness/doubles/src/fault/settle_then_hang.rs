//! `settle-then-hang`: the money moves and the answer never comes. The case that makes a naive server charge twice.

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
    listed: Listed::new("settle-then-hang", "the money moves, the answer never comes (settle)", "{}"),
    on: OnCalls::Settle,
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&["settle-then-hang = {}"]),
    compared: Compared::Yes,
};

pub struct SettleThenHang;

impl Behaviour for SettleThenHang {
    fn says(&self) -> String {
        "settles and never answers".to_owned()
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        exchange.honest_reply().await?;
        exchange.caller.gone().await;
        Ok(Played::hung())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, Payer, always, how},
    };

    #[tokio::test]
    async fn a_call_that_hangs_when_the_double_stops_is_recorded() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::SettleThenHang)).await;
        let (client, url) = (bench.client.clone(), format!("{}/settle", double.url()));
        let hanging = tokio::spawn(async move { client.post(url).body(Payer::new(1).body(1)).send().await });
        bench.money_moved().await;
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((calls.len(), how(&calls[0]), transfers), (1, "hung", 1));
        hanging.await.unwrap().expect_err("no answer came");
    }
}
