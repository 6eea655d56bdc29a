//! The words that clients send and judges look for.

/// A preflight's method: not one of those that need no leave.
pub const ASKED_METHOD: &str = "PUT";
/// The headers that a page sends with a payment, and with JSON.
pub const ASKED_HEADERS: [&str; 2] = ["content-type", "payment-signature"];
/// The flaw of a payment whose window ends before its tenant has run.
pub const ENDS_WHILE_THE_TENANT_RUNS: &str = "ends-while-the-tenant-runs";
