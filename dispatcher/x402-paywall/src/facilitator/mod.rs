//! Facilitators: how they are configured, how long they may take, what their answers mean, and how they are asked.

mod answer;
pub mod ask;
mod auth;
mod config;
pub mod supported;
pub mod time_out;
pub mod token;
pub mod verdict;
pub mod verify_reason;

pub use ask::Asker;
pub use auth::{AuthHeader, Endpoint};
pub use config::{ConfigError, Facilitator, Facilitators, MAX_TIMEOUT_MS};
pub use supported::Supported;
