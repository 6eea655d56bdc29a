//! What makes a payment one payment, on every tenant and in every isolate: (network, asset, from, nonce).
//! In the asset's place stands the contract that uses up the nonce: the token's for EIP-3009, Permit2's for a permit.

use crate::{Address, Network, Nonce};
use std::fmt;

/// Displays as `network:asset:from:nonce`, lower case: one payment has one spelling, whatever case the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaymentKey {
    pub network: Network,
    pub asset: Address,
    pub from: Address,
    pub nonce: Nonce,
}

impl fmt::Display for PaymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.network, self.asset.lower(), self.from.lower(), self.nonce)
    }
}
