//! The world of the live tier: the Worker under `wrangler dev`, the doubles on loopback, and what is done to them while it runs.

pub mod kills;
pub mod ledger_readout;
pub mod machine;
pub mod operator;
mod outbound;
mod world;

pub use world::{Live, LiveError, LiveOptions, NAMESPACE_TENANTS, Sellers, Tools};
