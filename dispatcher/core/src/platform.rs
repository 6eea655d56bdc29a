//! A platform's ports as one type. A new port is one trait, one associated type here, and one file for each adapter.

use crate::{
    admission::Gate,
    catalogue::shelf::Shelf,
    departures::Departures,
    directory::stored::StoredTenants,
    dispatch_key::normalise_host,
    ports::{
        Desk, EventQueue, HealthObject, Later, Namespace, OperatorSecrets, PaymentRecords, Randomness, RateLimiter,
        RequestLog, Tenants, TroubleLog,
    },
    quarantine::{QuarantineObject, Warden},
    telemetry::outbox::Outbox,
    token_guard::TokenGuard,
};
use std::rc::Rc;
use x402_paywall::{
    health::Board,
    ports::{Clock, Ledger},
};

/// The ports that a request's story needs.
pub trait Platform: Sized + 'static {
    type Namespace: Namespace;
    type Ledger: Ledger;
    type Clock: Clock;
    type Randomness: Randomness;
    type Log: RequestLog;
    type Tenants: Tenants;
}

/// A request as the platform has it.
pub type InboundOf<P> = <<P as Platform>::Namespace as Namespace>::Inbound;
/// A tenant's response as the platform has it.
pub type OutboundOf<P> = <<P as Platform>::Namespace as Namespace>::Outbound;

/// The adapters of one request.
pub struct Ports<P: Platform> {
    pub namespace: P::Namespace,
    pub ledger: P::Ledger,
    pub clock: P::Clock,
    pub randomness: P::Randomness,
    pub log: P::Log,
    pub tenants: P::Tenants,
}

/// The ports of what runs beside requests, and of what operators ask.
pub trait Hosting: Platform<Ledger: PaymentRecords, Log: TroubleLog, Tenants: StoredTenants> {
    type Limiter: RateLimiter;
    type Quarantines: QuarantineObject;
    type Health: HealthObject;
    type Secrets: OperatorSecrets;
    type Events: EventQueue;
    type Desk: Desk;
    type Later: Later;
}

/// The adapters of one request that stand beside its story.
pub struct Surroundings<P: Hosting> {
    pub limiter: P::Limiter,
    pub quarantines: P::Quarantines,
    pub health: P::Health,
    pub secrets: P::Secrets,
    pub events: P::Events,
    pub desk: P::Desk,
    pub later: P::Later,
}

/// An isolate's memory, which outlives each of its requests.
#[derive(Clone, Default)]
pub struct IsolateMemory {
    /// The knowledge of who is in quarantine.
    pub warden: Rc<Warden>,
    /// The knowledge of who comes.
    pub gate: Rc<Gate>,
    /// The knowledge of how facilitators do. Without one, an offer goes out whoever could settle it.
    pub board: Option<Rc<Board>>,
    /// The knowledge of who guesses at the platform's token.
    pub token_guard: Rc<TokenGuard>,
    /// The responses that have left, and that the ledger has not been told of.
    pub departures: Rc<Departures>,
    /// The pages of the catalogue that were made a moment ago.
    pub shelf: Rc<Shelf>,
    /// The events that are still to be sent. `None`: they are in the log alone.
    pub outbox: Option<Rc<Outbox>>,
    /// The host of the dashboard, without a port. No tenant is served there.
    pub dashboard_host: Option<Rc<str>>,
}

impl IsolateMemory {
    /// Whether a request was sent to the dashboard's host, on whatever port: a cookie heeds no port.
    #[must_use]
    pub fn is_dashboard(&self, host: &str) -> bool {
        let named = || normalise_host(host);
        self.dashboard_host.as_deref().is_some_and(|own| named().as_deref() == Some(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dashboards_host_is_one_host_in_every_spelling_and_on_every_port() {
        let memory = IsolateMemory { dashboard_host: Some("ops.example".into()), ..IsolateMemory::default() };
        for own in ["ops.example", "OPS.example", "ops.example.", "ops.example:443", "ops.example:8443"] {
            assert!(memory.is_dashboard(own), "{own}");
        }
        for other in ["", "example", "x.ops.example", "ops.example.evil.example", "ops.example:x", "ops.example/"] {
            assert!(!memory.is_dashboard(other), "{other}");
        }
        assert!(!IsolateMemory::default().is_dashboard("ops.example"), "there is none");
    }
}
