//! `reset`: the connection dies with a TCP RST (zero linger), not a FIN. The money stays.
//!
//! "After accept" waits for the request line: a double that reset before any byte could not record which call it broke.

use super::about::{About, Compared, Drawn, Moves};
use crate::{ResetAfter, exchange::Played};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "reset",
        "TCP reset, on accept or once the request was read (after: accept, head); no money moves",
        "{ after = \"accept\" }",
    ),
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["reset = { after = \"accept\" }", "reset = { after = \"head\" }"]),
    compared: Compared::Yes,
};

/// Whether the call gets further than its request line. If not, the record cannot name the payment.
pub fn reads_request(after: ResetAfter) -> bool {
    after == ResetAfter::Head
}

pub fn play() -> Played {
    Played::reset()
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
            let double = bench.double(once(Inject::Reset { after })).await;
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
        let faults = vec![fault(Call::Settle, ALWAYS, Pick::Nth(2), Inject::Reset { after: ResetAfter::Head })];
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
