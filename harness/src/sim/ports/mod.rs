//! The dispatcher's ports in the simulated tier, one file each. What they share outlives the process that uses them.

pub mod desk;
pub mod event_queue;
pub mod facilitator_transport;
pub mod health_object;
pub mod health_store;
pub mod identifiers;
pub mod inbound;
pub mod log;
pub mod namespace;
pub mod quarantine_object;
pub mod randomness;
pub mod rate_limiter;
pub mod record_store;
pub mod secrets;
pub mod settlement_ledger;
pub mod shard_store;
pub mod snapshot_store;
