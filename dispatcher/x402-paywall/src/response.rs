//! The tenant's response, held until the payment is settled and kept until it was handed over.

use serde::{Deserialize, Serialize};

/// Largest response body that can be paid for. It is held in memory and kept in one value of the ledger's storage, which
/// takes 2 MB; half of that leaves room for headers and encoding.
pub const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// Most header bytes kept with a response, names and values together.
pub const MAX_RESPONSE_HEADER_BYTES: usize = 64 * 1024;

/// Status and headers of a held response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseHead {
    pub status: u16,
    /// In order; a name may repeat.
    pub headers: Vec<(String, String)>,
}

/// A whole response that a caller pays for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaidResponse {
    pub head: ResponseHead,
    pub body: Vec<u8>,
}
