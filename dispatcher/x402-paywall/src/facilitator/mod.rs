//! Facilitators: how they are configured, how long they may take, what their answers mean, and how one is called.
//! [`Asker`](crate::asker::Asker) chooses among them.

pub(crate) mod answer;
pub mod ask;
mod auth;
mod config;
pub mod credentials;
mod outcome;
pub mod supported;
pub mod time_out;
pub mod token;
pub(crate) mod traced;
pub mod transport;
pub mod verdict;
pub mod verify_reason;

pub use auth::{AuthHeader, Endpoint};
pub use config::{ConfigError, Facilitator, Facilitators, MAX_TIMEOUT_MS};
pub use outcome::Outcome;
pub use supported::Supported;
