//! A request for something that costs, as the paywall is told of it.

use crate::{Origin, Price, UnixMillis};
use x402_protocol::Version;

/// One request for something that costs, or did.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'a> {
    /// Unique per request: it holds the claim.
    pub request_id: &'a str,
    pub seller: Seller<'a>,
    /// The name by which the seller was asked, such as a host: no two sellers have the same at a time.
    pub place: &'a str,
    pub method: &'a str,
    /// The path and the query as the seller sees them.
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// The URL of the wares, as the caller addressed it.
    pub url: &'a str,
    pub payment: Option<Presented<'a>>,
    /// The one who presents it.
    pub origin: &'a Origin,
    /// When the request came.
    pub now: UnixMillis,
}

/// The seller, or the place where it was.
#[derive(Clone, Copy, Debug)]
pub enum Seller<'a> {
    Asks {
        id: &'a str,
        price: &'a Price,
        /// Ids of the facilitators that may serve it, in the order in which they are tried.
        facilitators: &'a [String],
    },
    /// Takes no money, or no more: what a payment bought before can be collected.
    Gives { id: &'a str },
    /// Nobody, or nobody any more: what a payment bought before in this place can be collected.
    Nobody,
}

/// A payment as it came.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The one of the two payment headers that it came in.
    pub version: Version,
    pub header: &'a str,
}
