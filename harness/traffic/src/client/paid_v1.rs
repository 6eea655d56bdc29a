//! A client of version 1: the offer from the body, the payment in `X-PAYMENT`. Else it buys as `paid` does.

use super::about::{About, Swarm};
use grammar::Listed;
use x402_protocol::Version;

pub use super::paid::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    version: Version::V1,
    ..About::buyer(
        Listed::new(
            "paid-v1",
            "buys as clients of version 1 do: the offer from the body, the payment in X-PAYMENT",
            "4",
        ),
        Swarm::Sometimes,
    )
};
