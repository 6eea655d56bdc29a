//! Facilitator doubles: real HTTP servers on loopback that do what an honest x402 facilitator does, and misbehave on
//! script.
//!
//! A double is two halves. wiremock serves whole answers, healthy or not ([`answers`]); in front stands our own acceptor,
//! which decides the fault of each request and takes over the socket where wiremock cannot be trusted with it
//! ([`connection`]). All doubles of a run settle on one [`Chain`], which is the truth for the judges.

mod acceptor;
mod answers;
mod caller;
mod chain;
mod connection;
mod exchange;
pub mod fault;
mod honest;
mod reason;
mod reply;
mod request;
mod script;

#[cfg(test)]
mod socket_tests;
#[cfg(test)]
mod testing;

pub use chain::{AMPLE_BALANCE, Chain, Settled, Settlement};
pub use fault::{About, After, Inject, Money, StatusBody};
pub use script::{Call, FaultSpec, Pick, ScriptError};

use crate::clock::Clock;
use connection::Double;
use exchange::Origin;
use reports::event::Event;
use script::Script;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use wiremock::MockServer;

/// A running double. Stop it with [`FacilitatorDouble::stop`]: dropping it ends it without waiting for its records.
pub struct FacilitatorDouble {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<io::Result<()>>,
    /// Serves until it is dropped.
    _answers: MockServer,
}

impl FacilitatorDouble {
    /// Starts on a free port of loopback. When this returns, the double answers (or refuses, if the script says so).
    pub async fn start(
        name: String,
        chain: Arc<Chain>,
        faults: Vec<FaultSpec>,
        clock: Arc<dyn Clock>,
        events: mpsc::UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let script = Script::new(faults).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (name, script): (Arc<str>, _) = (name.into(), Arc::new(script));
        let answers = answers::start(Arc::clone(&name), chain, Arc::clone(&script), Arc::clone(&clock)).await;
        // A proxy named by the environment must not come between the two halves.
        let client = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        let origin = Origin { client, url: answers.uri() };
        let double = Arc::new(Double { name, script, origin, clock, events });
        let (address, door) = acceptor::bind(&double).await?;
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(acceptor::run(double, address, door, stopped));
        Ok(Self { address, stop, running, _answers: answers })
    }

    /// Without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Resets what is in flight. When this returns, every call has been recorded.
    pub async fn stop(self) -> io::Result<()> {
        // An acceptor that has ended already says why below.
        let _ = self.stop.send(());
        self.running.await.map_err(io::Error::other)?
    }
}
