//! A client that has an API key of its own, in a header that the tenant's record lists, and buys as `paid` does.

use super::about::{About, NOT_TRIED};
use crate::caller::API_KEY;
use grammar::Listed;

pub use super::paid::act;

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    credentials: Some(API_KEY),
    ..About::buyer(
        Listed::new("keyed", "buys with an API key of its own, in a header that the tenant's record lists", "1"),
        NOT_TRIED,
    )
};
