//! Which facilitators can be relied on.
//!
//! [`standing`] decides from what calls came to, [`Board`] chooses by it within an isolate, and one [`Monitor`] merges what
//! all boards see. A payment asks its board and never waits for the monitor: news and snapshots are exchanged beside
//! payments. Health is per facilitator and kind of call, for one whose settle hangs may verify well.
//!
//! Whoever sends a payment may make a facilitator stumble, so [`witness`] says whose failures count, `room` how many calls
//! may be under way for strangers, `trials` who is let through while nobody is well, `specimens` what we probe with, and
//! `debts` how fast settlements whose answer was lost are asked about.

mod board;
mod debts;
mod desk;
mod jitter;
mod monitor;
mod news;
mod regulars;
mod room;
mod specimens;
pub mod standing;
pub(crate) mod store;
#[cfg(test)]
pub(crate) mod testing;
mod trials;
pub mod witness;

pub use board::{Begun, Board, Busy, CALM_EXCHANGE_MS, CannotServe, EXCHANGE_MS, Errand, Failed, Order};
pub use monitor::{Job, Monitor};
pub use news::{Known, News, Observation, Snapshot};
pub use regulars::Regulars;
pub use standing::{Health, Outcome};
