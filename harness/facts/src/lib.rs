//! What the doubles of a played world do, as far as a judge must know it too. A judge sees events alone; this crate says what some
//! of their words mean, and nothing of how a world is run.

pub mod clients;
pub mod hosts;
pub mod internet;
pub mod official;
