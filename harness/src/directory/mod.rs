//! The stored tenant directory of a run: what lies in key-value storage, and what a scenario makes of it while callers come.
//! One store for both tiers: the live one reads it through workerd's own KV binding, the simulated one directly.

mod changes;
mod kv_store;
mod plan_limits;
mod publisher;
mod tenants;

pub use changes::carry_out;
pub use kv_store::KvStore;
pub use plan_limits::plan_limits;
pub use publisher::{PublishError, Publisher};
pub use tenants::{directory_of, facts_of, scripts};
