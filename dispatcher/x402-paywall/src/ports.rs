//! What the paywall needs of the world: each trait stands beside what it is about, and all of them are listed here. Futures need
//! not be `Send`: the adapters of record run on one thread.

pub use crate::{
    facilitator::{
        credentials::{CredentialSigner, NoSigner, Secrets, SignError},
        transport::{
            FacilitatorAnswer, FacilitatorTransport, HttpRequest, MAX_FACILITATOR_ANSWER_BYTES, TransportError,
        },
    },
    health::store::{HealthLog, HealthStore},
    ledger::port::{Identifiers, Ledger, PaymentLog, RecordStore},
    ledger_error::LedgerError,
    time::Clock,
};
