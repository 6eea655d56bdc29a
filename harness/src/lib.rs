//! The harness as a library: everything `main.rs` offers on the command line, so that tests can drive it without a process.

pub mod clock;
pub mod facilitator;
