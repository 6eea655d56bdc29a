//! A platform's ports as one type. A new port is one trait, one associated type here, and one file for each adapter.

use crate::{
    admission::Gate,
    catalogue::shelf::Shelf,
    departures::Departures,
    directory::stored::StoredTenants,
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
}
