//! `garbage`: bytes that are no HTTP, then a clean close. The money stays.

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
    listed: Listed::new("garbage", "bytes that are not HTTP; no money moves", "{}"),
    on: OnCalls::AnyCall,
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["garbage = {}"]),
    compared: Compared::Not { because: "a connection reset stands for every answer that is no HTTP" },
};

pub struct Garbage;

impl Behaviour for Garbage {
    fn says(&self) -> String {
        "answers with bytes that are not HTTP".to_owned()
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        match exchange.caller.send(BYTES).await {
            Ok(()) => Ok(Played::closed("garbage")),
            Err(_) => Ok(Played::caller_gone()),
        }
    }
}

/// The answer of a port that expects TLS to plain HTTP: an alert record, `unexpected_message`. Then something no
/// protocol says.
const BYTES: &[u8] = b"\x15\x03\x03\x00\x02\x02\x0a\x00\xff\xfe\r\n\r\n\x00";

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, always, how},
    };

    #[tokio::test]
    async fn garbage_is_no_http() {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Garbage)).await;
        let error = bench.post(&double, "/settle", 1).await.unwrap_err();
        assert!(format!("{error:?}").contains("Parse"), "{error:?}");
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((how(&calls[0]), transfers), ("garbage", 0));
    }
}
