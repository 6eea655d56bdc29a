//! The stored tenant directory of a run: what lies in key-value storage, and what a scenario makes of it while callers come.
//! One store for both tiers: the live one reads it through workerd's own KV binding, the simulated one directly.

mod changes;
mod kv_store;
mod publisher;

pub use changes::carry_out;
pub use kv_store::KvStore;
pub use publisher::{PublishError, Publisher};
