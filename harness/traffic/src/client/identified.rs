//! A client that buys under a payment-identifier, and collects what it bought twice more with the same payment.

use super::about::{About, Swarm};
use grammar::Listed;

pub use super::resend_after_served::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    purchases_an_identifier: Some(1),
    ..About::buyer(
        Listed::new(
            "identified",
            "buys under a payment-identifier, and collects what it bought twice more with the same payment",
            "1",
        ),
        Swarm::Sometimes,
    )
};
