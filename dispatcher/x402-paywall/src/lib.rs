//! The x402 payment lifecycle as a library: challenge, claim, verify, execute, settle, hand over.
//!
//! It knows no runtime: time, the network and storage come in through [`ports`], and every decision about money is a pure
//! function ([`ledger::machine`], [`facilitator::verdict`], [`admission`]) that a property test can drive alone.
//!
//! Two halves, joined by the [`ports::Ledger`] port. [`Paywall`] runs where the request is. [`ledger::Keeper`] runs where
//! a payment's record lives (one single-threaded place per payment key, such as a Durable Object) and is the only one
//! that talks to facilitators: so a settlement outlives the caller's connection and the process that began it.
//!
//! The one rule above all: an unknown settlement is never reported as a failure, because a conforming client would then
//! sign a second payment.
//!
//! # A shop in one process
//!
//! ```
#![doc = include_str!("../examples/shop.rs")]
//! ```

pub mod admission;
pub mod asker;
pub mod binding;
pub mod chain;
pub mod challenge;
pub mod claim;
pub mod denial;
pub mod facilitator;
pub mod fnv;
pub mod health;
pub mod hooks;
pub mod ledger;
mod ledger_error;
pub mod origin;
pub mod paywall;
pub mod ports;
pub mod purchase;
pub mod reason;
pub mod response;
mod shared_claim;
pub mod telemetry;
pub mod time;
pub mod trace;
pub mod window;

pub use challenge::Price;
pub use denial::Denial;
pub use hooks::{Hooks, Veto};
pub use origin::{Fingerprint, Origin};
pub use paywall::{Paywall, Presented, Purchase, Ran, Seller, Sold, Ticket};
pub use reason::Reason;
pub use response::PaidResponse;
pub use time::UnixMillis;
