//! `refuse`: nobody listens. The listener is really closed, so callers see ECONNREFUSED, and open connections are reset.
//!
//! While closed, the port stays bound by a socket that does not listen: else another process could take it, and the
//! double could never heal on the address that its callers know.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
};
use crate::Call;
use grammar::Listed;
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpSocket};

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "refuse",
        "nobody listens: connections are refused (call = \"any\", no pick); no money moves",
        "{}",
    ),
    on: OnCalls::Connection,
    moves: Moves::Never,
    swarm: Drawn::Not { because: "it closes a port, which is drawn apart from what happens to calls" },
    compared: Compared::Not { because: "a connection reset stands for a closed port" },
};

pub struct Refuse;

impl Behaviour for Refuse {
    fn says(&self) -> String {
        "refuses the connection".to_owned()
    }

    fn cannot_be_on(&self, call: Call, picky: bool) -> Option<(&'static str, &'static str)> {
        match (call, picky) {
            (Call::Any, true) => Some(("a closed port cannot pick its calls", "leave `pick` out")),
            (Call::Any, false) => None,
            _ => Some(("a closed port closes to every call", "write call = \"any\"")),
        }
    }
}

/// Connections that may wait for `accept`: more than any scenario has in flight.
const BACKLOG: u32 = 1024;

/// The kernel may need a moment to let go of a closed listener's port.
const BIND_RETRY: Duration = Duration::from_millis(1);
const BIND_ATTEMPTS: u32 = 1000;

/// Binds without listening: connecting is refused.
pub async fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let mut attempt = 1;
    loop {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        match socket.bind(address) {
            Ok(()) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempt < BIND_ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(BIND_RETRY).await;
    }
}

pub fn listen(held: TcpSocket) -> io::Result<TcpListener> {
    held.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use crate::{
        Call, Inject, Pick,
        testing::{ALWAYS, Bench, PATIENCE, fault, how, io_kind},
    };
    use std::{io, time::Duration};
    use system::clock::Clock;

    #[tokio::test]
    async fn a_refusing_port_refuses_resets_pooled_connections_and_heals() {
        let bench = Bench::new();
        // Begins long after the pooled connection exists, however busy the machine.
        let begins = bench.clock.now_us() + 2_000_000;
        let ends = begins + 1_000_000;
        let double = bench.double(vec![fault(Call::Any, begins..ends, Pick::All, Inject::Refuse)]).await;
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().0, 200);
        let mut pooled = tokio::net::TcpStream::connect(double.address).await.unwrap();
        let reset =
            tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read(&mut pooled, &mut [0; 1])).await.unwrap();
        assert_eq!(reset.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let error = bench.post(&double, "/verify", 1).await.unwrap_err();
        assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionRefused), "{error:?}");
        let healed = async {
            while bench.post(&double, "/settle", 1).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, healed).await.expect("heals on the same port");
        assert!(bench.clock.now_us() >= ends);
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((calls.len(), transfers), (2, 1), "refused calls never reached the double");
    }

    #[tokio::test]
    async fn a_call_in_flight_when_refusal_begins_is_reset_and_recorded() {
        let bench = Bench::new();
        let begins = bench.clock.now_us() + 2_000_000;
        let double = bench
            .double(vec![
                fault(Call::Any, begins..u64::MAX, Pick::All, Inject::Refuse),
                fault(Call::Any, ALWAYS, Pick::All, Inject::Hang),
            ])
            .await;
        let error = bench.post(&double, "/settle", 1).await.unwrap_err();
        assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
        let (calls, _) = bench.stop(double).await;
        assert_eq!((how(&calls[0]), calls[0].fault.as_ref().unwrap().inject.as_str()), ("reset", "refuse"));
    }
}
