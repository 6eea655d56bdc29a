//! `refuse`: nobody listens. The listener is really closed, so callers see ECONNREFUSED, and open connections are reset.
//!
//! While closed, the port stays bound by a socket that does not listen: else another process could take it, and the
//! double could never heal on the address that its callers know.

use std::{io, net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpSocket};

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
