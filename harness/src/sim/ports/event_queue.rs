//! The queue of events in the simulation: there is none, so events are in the log alone.

use dispatcher_core::{ports::EventQueue, telemetry::outbox::Parcel};

pub struct SimQueue;

impl EventQueue for SimQueue {
    async fn send(&self, _parcel: &Parcel) -> Result<(), String> {
        Err("the simulation has no queue".to_owned())
    }
}
