//! The double's door: accepts connections, and is really shut while a `refuse` window lasts.

use super::{
    caller::Caller,
    connection::{Closing, Double, serve},
    fault::refuse,
    script::Refusal,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket},
    select,
    sync::{oneshot, watch},
    task::{JoinError, JoinSet},
    time::sleep,
};

/// After `accept` failed, as it does when the process is out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// Shortest sleep on the way to a window's edge: the clock port and the runtime's timer are two clocks.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

pub enum Door {
    Open(TcpListener),
    Shut(TcpSocket, Refusal),
}

/// Binds, and listens unless a refusal holds from the start.
/// Port 0: any free one.
pub async fn bind(double: &Double, port: u16) -> io::Result<(SocketAddr, Door)> {
    let held = refuse::hold(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let address = held.local_addr()?;
    let door = match double.script.refusal_at(double.journal.clock().now_us()) {
        Some(refusal) => Door::Shut(held, refusal),
        None => Door::Open(refuse::listen(held)?),
    };
    Ok((address, door))
}

/// Runs until told to stop; then every call in flight is recorded before it returns.
pub async fn run(double: Arc<Double>, address: SocketAddr, door: Door, stop: oneshot::Receiver<()>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let ended = keep(&double, address, door, stop, &mut connections).await;
    if let Err(error) = &ended {
        double.unreadable(format!("the double's door failed: {error}"));
    }
    while let Some(connection) = connections.join_next().await {
        told(&double, connection);
    }
    ended
}

/// Opens and shuts the door as the script says.
async fn keep(
    double: &Arc<Double>,
    address: SocketAddr,
    mut door: Door,
    mut stop: oneshot::Receiver<()>,
    connections: &mut JoinSet<()>,
) -> io::Result<()> {
    loop {
        door = match door {
            Door::Shut(held, refusal) => {
                if !shut_until(double, refusal.until_us, &mut stop).await {
                    return Ok(());
                }
                match double.script.refusal_at(double.journal.clock().now_us()) {
                    Some(next) => Door::Shut(held, next),
                    None => Door::Open(refuse::listen(held)?),
                }
            }
            Door::Open(listener) => {
                let (close, closing) = watch::channel(None);
                let refusal = accept(double, &listener, &closing, connections, &mut stop).await;
                drop(listener);
                let why = refusal.clone().map_or(Closing::Stopped, |refusal| Closing::Refused(refusal.fault));
                // No receiver means no open connection.
                let _ = close.send(Some(why));
                match refusal {
                    Some(refusal) => Door::Shut(refuse::hold(address).await?, refusal),
                    None => return Ok(()),
                }
            }
        };
    }
}

/// A connection ends badly only by a panic, which is our own bug and must be seen.
fn told(double: &Double, connection: Result<(), JoinError>) {
    if let Err(error) = connection {
        double.unreadable(format!("a connection of the double failed: {error}"));
    }
}

/// Accepts until a refusal begins, or `None` when the double is to stop.
async fn accept(
    double: &Arc<Double>,
    listener: &TcpListener,
    closing: &watch::Receiver<Option<Closing>>,
    connections: &mut JoinSet<()>,
    stop: &mut oneshot::Receiver<()>,
) -> Option<Refusal> {
    let mut changes = double.script.changes();
    loop {
        changes.mark_unchanged();
        let now = double.journal.clock().now_us();
        if let Some(refusal) = double.script.refusal_at(now) {
            return Some(refusal);
        }
        let next = double.script.next_refusal_us(now);
        select! {
            biased;
            _ = &mut *stop => return None,
            () = sleep_us(next.unwrap_or(u64::MAX) - now), if next.is_some() => {}
            // The script's own end is as long as the double's.
            _ = changes.changed() => {}
            Some(connection) = connections.join_next() => told(double, connection),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(Caller::from(stream), Arc::clone(double), closing.clone()));
                }
                Err(error) => {
                    double.unreadable(format!("accept: {error}"));
                    sleep(ACCEPT_RETRY).await;
                }
            },
        }
    }
}

/// False when the double is to stop before then.
async fn shut_until(double: &Double, until_us: u64, stop: &mut oneshot::Receiver<()>) -> bool {
    let mut changes = double.script.changes();
    loop {
        changes.mark_unchanged();
        let now = double.journal.clock().now_us();
        // Somebody may have ended it before its time.
        if now >= until_us || double.script.refusal_at(now).is_none() {
            return true;
        }
        select! {
            biased;
            _ = &mut *stop => return false,
            () = sleep_us(until_us - now) => {}
            _ = changes.changed() => {}
        }
    }
}

async fn sleep_us(us: u64) {
    sleep(Duration::from_micros(us).max(SHORTEST_SLEEP)).await;
}
