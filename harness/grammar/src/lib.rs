//! The words that every block of a scenario is made of: names, times, rates, amounts, paths, phases; and what is wrong with a file,
//! with its place. Judges, doubles and clients read their own parameters with them, so this crate stands below all three.

pub mod limits;
mod listed;
pub mod name;
mod nearest;
pub mod phase;
pub mod problem;
pub mod rate;
pub mod request_path;
pub mod text;
pub mod time;
pub mod usdc;

pub use listed::Listed;
pub use name::Name;
pub use nearest::nearest;
pub use phase::{Phase, Timeline};
pub use problem::{InvalidScenario, Problem, Problems};
pub use rate::Rate;
pub use request_path::RequestPath;
pub use time::{Window, duration, show};
pub use usdc::Usdc;
