//! A client that comes back as late as `late` does, under a payment-identifier.

use super::about::{About, Swarm};
use grammar::Listed;

pub use super::late::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    purchases_an_identifier: Some(1),
    takes_days: true,
    ..About::buyer(
        Listed::new("late-identified", "does so under a payment-identifier (only = \"sim\")", "1"),
        Swarm::Never { because: "it comes back after days" },
    )
};
