//! The settlement ledger: one record per payment key, kept in one single-threaded place.
//!
//! [`machine`] decides, [`Keeper`] writes and acts, in that order: every state is stored before the effect it announces,
//! so that whoever finds the record after a crash knows what may have happened. Cost per payment is constant: a record
//! knows nothing of other payments.

pub mod books;
pub mod identifier;
mod keeper;
pub mod layout;
mod local;
pub mod machine;
mod memory;
mod messages;
mod patience;
pub mod port;
mod record;
#[cfg(test)]
mod record_tests;
pub mod shard;

pub use crate::{
    claim::{Asked, Authorized, Claim, Collection},
    shared_claim::SharedClaim,
};
pub use keeper::Keeper;
pub use local::LocalLedger;
pub use memory::{Memory, MemoryStore};
pub use messages::{ClaimReply, Departed, Reply, SettleReply};
pub use record::{Delivery, Record, State};
