//! `hang`: the request is read and never answered. The money stays, and the call lasts until the caller gives up.

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
    listed: Listed::new("hang", "accepts the call and never answers; no money moves", "{}"),
    on: OnCalls::AnyCall,
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["hang = {}"]),
    compared: Compared::Yes,
};

pub struct Hang;

impl Behaviour for Hang {
    fn says(&self) -> String {
        "takes the request and never answers".to_owned()
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        exchange.caller.gone().await;
        Ok(Played::hung())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, IMPATIENCE, always, how},
    };

    #[tokio::test]
    async fn hanging_calls_last_until_the_caller_gives_up() {
        for (inject, moved) in [(Inject::Hang, 0), (Inject::SettleThenHang, 1)] {
            let mut bench = Bench::new();
            let double = bench.double(always(inject)).await;
            for _ in 0..2 {
                let hung = tokio::time::timeout(IMPATIENCE, bench.post(&double, "/settle", 1)).await;
                assert!(hung.is_err(), "{hung:?}");
                // Recorded when the caller gave up, long before the double stops.
                assert_eq!(how(&bench.next_call().await), "hung");
            }
            let (_, transfers) = bench.stop(double).await;
            assert_eq!(transfers, moved);
        }
    }
}
