//! A client that sends an `Authorization` and a cookie of its own with everything, and buys as `paid` does.

use super::about::{About, Swarm};
use grammar::Listed;

pub use super::paid::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    credentials: Some("user-"),
    ..About::buyer(
        Listed::new("authorized", "buys with an Authorization and a cookie of its own", "1"),
        Swarm::Sometimes,
    )
};
