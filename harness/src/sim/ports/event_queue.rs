//! The queue of events, as a process sends to it.

use crate::sim::kept_events::KeptEvents;
use dispatcher_core::{ports::EventQueue, telemetry::outbox::Parcel};
use std::rc::Rc;

#[derive(Clone)]
pub struct SimQueue(pub Rc<KeptEvents>);

impl EventQueue for SimQueue {
    async fn send(&self, parcel: &Parcel) -> Result<(), String> {
        self.0.send(parcel)
    }
}
