//! A client whose payment-identifier another client uses too, at a tenant of its own. Each has bought what it has paid for.

use super::about::{About, NOT_TRIED};
use grammar::Listed;

pub use super::paid::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    purchases_an_identifier: Some(2),
    ..About::buyer(
        Listed::new(
            "shared-identifier",
            "buys under a payment-identifier that another client uses too, at its own tenant",
            "1",
        ),
        NOT_TRIED,
    )
};
