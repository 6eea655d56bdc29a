//! Open-model traffic from signing clients: every arrival is sent when it is due, however many are still waiting.

mod addresses;
mod ask;
mod block;
mod caller;
mod client;
mod http_wire;
mod leaks;
mod malformation;
mod payer;
mod presented;
mod schedule;
mod wire;

pub use ask::Ask;
pub use block::{AddressesIn, Arriving, Mix, Traffic};
pub use caller::Caller;
pub use client::{ClientKind, Swarm};
pub use http_wire::{HttpError, HttpWire};
pub use malformation::Malformation;
pub use payer::{Draft, Invoice, PayError, Payers, Payment, plain};
pub use schedule::{Arrival, schedule};
pub use wire::{Broken, PATIENCE, Wire, WireAnswer, WireRequest};

use client::Visit;
use futures_util::FutureExt;
use grammar::Timeline;
use std::{sync::Arc, time::Duration};
use system::clock::Clock;
use tokio::task::JoinSet;
use tracing::Instrument;

/// How long after the traffic's end a client goes on asking for what it paid for.
pub const RESOLVE_WITHIN: Duration = Duration::from_secs(15);

/// Sends every arrival when it is due, and comes back when the last of them has ended. Returns the payments signed.
pub async fn drive(
    arrivals: Vec<Arrival>,
    caller: Arc<Caller>,
    payers: Arc<Payers>,
    timeline: &Timeline,
) -> Vec<String> {
    let give_up_us = (timeline.end() + RESOLVE_WITHIN).as_micros() as u64;
    let mut clients = JoinSet::new();
    for arrival in arrivals {
        wait_until(caller.clock(), arrival.due_us).await;
        let (caller, payers) = (Arc::clone(&caller), Arc::clone(&payers));
        let visit =
            async move { Visit { caller: &caller, payers: &payers, arrival: &arrival, give_up_us }.run().await };
        // Boxed, so that the runtime's layers do not each copy it.
        clients.spawn(visit.boxed().in_current_span());
    }
    let mut payments = Vec::new();
    while let Some(ended) = clients.join_next().await {
        payments.extend(ended.expect("a client never panics and is never aborted"));
    }
    payments
}

async fn wait_until(clock: &dyn Clock, due_us: u64) {
    let now = clock.now_us();
    if due_us > now {
        tokio::time::sleep(Duration::from_micros(due_us - now)).await;
    }
}
