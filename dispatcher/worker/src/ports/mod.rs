//! The dispatcher's ports on the Workers runtime, one file each.

pub mod clock;
pub mod credential_signer;
pub mod desk;
pub mod event_queue;
pub mod facilitator_transport;
pub mod health_object;
pub mod health_store;
pub mod identifiers;
pub mod inbound;
pub mod later;
pub mod log;
pub mod namespace;
pub mod object_storage;
pub mod outbound;
pub mod outbox;
pub mod quarantine_object;
pub mod randomness;
pub mod rate_limiter;
pub mod record_store;
pub mod secrets;
pub mod settlement_ledger;
pub mod shard_store;
pub mod snapshot_store;
pub mod sql;
