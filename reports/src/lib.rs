//! The event stream of a run and the reports made from it. Reports never look at the system under test: what is not in
//! the event stream is not in a report.

pub mod comparison;
pub mod event;
pub mod json;
pub mod latency;
pub mod level;
pub mod report;
pub mod summary;
pub mod tally;
pub mod terminal;
pub mod verdict;

#[cfg(test)]
mod fixture;
