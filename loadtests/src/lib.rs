//! Load tests: what the dispatcher costs beside a Worker that only dispatches, what its callers wait for, and what must hold
//! under load whatever it costs. `cargo run -p loadtests -- --help`.

pub mod budgets;
pub mod cli;
pub mod doubt;
pub mod extent;
pub mod journeys;
pub mod judge;
mod open;
pub mod peers;
pub mod planted;
pub mod report;
mod route;
pub mod selftest;
pub mod server;
mod shop;
mod soak;

pub use report::LoadReport;
