//! What there is to write a scenario with: the lists, the rules with what they rest on, and a scenario to start from.

pub mod list;
pub mod new_scenario;
pub mod rules;
