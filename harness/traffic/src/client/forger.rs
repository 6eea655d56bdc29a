//! A client that buys as `paid` does, and says with everything what only the dispatcher may say.

use super::about::{About, Swarm};
use crate::leaks;
use grammar::Listed;

pub use super::paid::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    headers: leaks::FORGED_REQUEST,
    ..About::buyer(
        Listed::new("forger", "sends headers that only the dispatcher may say with everything it asks", "1"),
        Swarm::Sometimes,
    )
};
