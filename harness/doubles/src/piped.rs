//! A double that is reached through pipes instead of sockets, for the simulated tier: the same calls, faults and records,
//! without a port. Connections are told to close one after another and in order, because the run must be repeatable.

use super::{
    FaultSpec, Terms,
    answers::Desks,
    caller::Caller,
    chain::Chain,
    connection::{Closing, Double, serve},
    origin::HonestPart,
    pipe::{PipeEnd, pipe},
    script::Script,
};
use futures_util::FutureExt;
use journal::Journal;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

pub struct PipedDouble {
    double: Arc<Double>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// How each open connection is told to close, by its number.
    closing: BTreeMap<u64, watch::Sender<Option<Closing>>>,
    connections: JoinSet<()>,
    opened: u64,
}

impl PipedDouble {
    #[must_use]
    pub fn new(name: &str, terms: Terms, chain: &Arc<Chain>, faults: Vec<FaultSpec>, journal: Journal) -> Arc<Self> {
        let (name, script) = (Arc::from(name), Arc::new(Script::new(faults)));
        let desks = Desks::new(&name, &terms, chain, &script, journal.clock());
        let signers = Arc::clone(chain.signers());
        let double = Double { name, wants: terms.wants, script, origin: HonestPart::Within(desks), signers, journal };
        Arc::new(Self { double: Arc::new(double), open: Mutex::default() })
    }

    /// The caller's end of a new connection; `None` while the double refuses.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Option<PipeEnd> {
        if self.double.script.refusal_at(self.now_us()).is_some() {
            return None;
        }
        let (ours, theirs) = pipe();
        let (close, closing) = watch::channel(None);
        let mut open = self.open();
        open.opened += 1;
        let number = open.opened;
        open.closing.insert(number, close);
        let door = Arc::clone(self);
        let connection = async move {
            serve(Caller::from(ours), Arc::clone(&door.double), closing).await;
            door.open().closing.remove(&number);
        };
        open.connections.spawn(connection.boxed());
        while open.connections.try_join_next().is_some() {}
        Some(theirs)
    }

    /// Resets what is open whenever a `refuse` window begins. Never comes back.
    pub async fn keep_the_door(self: Arc<Self>) {
        while let Some(at_us) = self.double.script.next_refusal_us(self.now_us()) {
            while self.now_us() < at_us {
                tokio::time::sleep(Duration::from_micros(at_us - self.now_us())).await;
            }
            if let Some(refusal) = self.double.script.refusal_at(self.now_us()) {
                self.close(&Closing::Refused(refusal.fault));
            }
        }
        std::future::pending().await
    }

    /// When this returns, every call has been recorded.
    pub async fn stop(&self) {
        self.close(&Closing::Stopped);
        let mut connections = std::mem::take(&mut self.open().connections);
        while let Some(ended) = connections.join_next().await {
            if let Err(error) = ended {
                self.double.unreadable(format!("a connection of the double failed: {error}"));
            }
        }
    }

    fn close(&self, why: &Closing) {
        for close in self.open().closing.values() {
            // A connection that has just ended has nobody to tell.
            let _ = close.send(Some(why.clone()));
        }
    }

    fn now_us(&self) -> u64 {
        self.double.journal.clock().now_us()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // No code under the lock can panic half-way through a change.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
