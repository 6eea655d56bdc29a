//! Which facilitators can be relied on.
//!
//! [`standing`] decides from what calls came to, [`Board`] chooses by it within an isolate, and one [`Monitor`] merges what
//! all boards see. A payment asks its board and never waits for the monitor: news and snapshots are exchanged beside
//! payments. Health is per facilitator and kind of call, for one whose settle hangs may verify well.

mod board;
mod jitter;
mod monitor;
mod news;
pub mod standing;

pub use board::{Begun, Board, CALM_EXCHANGE_MS, EXCHANGE_MS, Order};
pub use monitor::{Job, Monitor};
pub use news::{Known, News, Observation, Snapshot};
pub use standing::{Health, Outcome};
