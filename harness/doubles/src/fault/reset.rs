//! `reset`: the connection dies with a TCP RST (zero linger), not a FIN. The money stays.
//!
//! "After accept" waits for the request line: a double that reset before any byte could not record which call it broke.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
};
use grammar::{Listed, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "reset",
        "TCP reset, on accept or once the request was read (after: accept, head); no money moves",
        "{ after = \"accept\" }",
    ),
    on: OnCalls::AnyCall,
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["reset = { after = \"accept\" }", "reset = { after = \"head\" }"]),
    compared: Compared::Yes,
};

/// The moment of the exchange at which the connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetAfter {
    /// At the request line: the call did not get through.
    Accept,
    /// With the whole request read: the caller may think that it was acted on.
    Head,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawReset {
    after: ResetAfter,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    pub after: ResetAfter,
}

impl RawReset {
    pub fn check(self, _: &FaultPlace, _problems: &mut Problems) -> Option<Reset> {
        Some(Reset { after: self.after })
    }
}

impl Behaviour for Reset {
    fn says(&self) -> String {
        match self.after {
            ResetAfter::Accept => "resets the connection at once".to_owned(),
            ResetAfter::Head => "resets the connection once it has the request".to_owned(),
        }
    }

    /// After "accept" the call gets no further than its request line, so the record cannot name the payment.
    fn reads_request(&self) -> bool {
        self.after == ResetAfter::Head
    }

    async fn play(&self, _exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        Ok(Played::reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Call, Inject, Pick,
        testing::{ALWAYS, Bench, PATIENCE, Payer, fault, how, io_kind, once},
    };
    use std::io;

    #[tokio::test]
    async fn a_reset_is_a_reset_and_moves_nothing() {
        for after in [ResetAfter::Accept, ResetAfter::Head] {
            let bench = Bench::new();
            let double = bench.double(once(Inject::Reset(Reset { after }))).await;
            let error = bench.post(&double, "/settle", 1).await.unwrap_err();
            assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
            assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().0, 200, "the second call is healthy");
            let (calls, transfers) = bench.stop(double).await;
            assert_eq!((how(&calls[0]), calls.len(), transfers), ("reset", 2, 1));
            assert_eq!(calls[0].payment.is_some(), after == ResetAfter::Head);
            assert_eq!(calls[0].fault.as_ref().unwrap().inject, "reset");
        }
    }

    #[tokio::test]
    async fn a_fault_that_starts_later_hits_a_kept_open_connection() {
        let bench = Bench::new();
        let faults = vec![fault(Call::Settle, ALWAYS, Pick::Nth(2), Inject::Reset(Reset { after: ResetAfter::Head }))];
        let double = bench.double(faults).await;
        let mut socket = tokio::net::TcpStream::connect(double.address).await.unwrap();
        let body = Payer::new(1).body(1);
        let request = format!("POST /settle HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut answer = [0; 4096];
        for wanted in [true, false] {
            tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
            let read = tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read(&mut socket, &mut answer)).await;
            match read.unwrap() {
                Ok(read) => assert!(wanted && answer[..read].starts_with(b"HTTP/1.1 200 OK\r\n")),
                Err(error) => assert!(!wanted && error.kind() == io::ErrorKind::ConnectionReset, "{error:?}"),
            }
        }
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
