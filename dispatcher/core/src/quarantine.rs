//! Tenants that must not do harm while someone looks: put there by an operator, at once and without a deploy, or by policy
//! after their Worker ran out of CPU time again and again. They run under the plan `quarantine`.
//!
//! One object of the deployment has the list, each isolate a copy, and a count of failures of its own: pure, bytes and times
//! in, limits and errands out.

mod allowance;
mod burns;
mod list;
#[cfg(test)]
mod tests;
mod warden;

pub use list::{ListFull, Quarantine, QuarantineCall, QuarantineObject, Quarantines};
pub use warden::{CpuPolicy, Errand, Warden};
