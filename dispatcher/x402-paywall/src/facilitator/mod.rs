//! Facilitators: how they are configured, what their answers mean, and in which order they are asked.

pub mod ask;
mod config;
pub mod verdict;

pub use config::{ConfigError, Facilitator, Facilitators, MAX_TIMEOUT_MS};
