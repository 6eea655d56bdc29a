//! Who presents a payment, as far as a request tells without a proof: its caller's address and its credentials.
//!
//! Surprising constraint: a signed payment is public once it is on the chain. So a payment says nothing of who presents it,
//! and what it bought goes to the origin that bought it.

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use std::fmt;

/// Keccak-256 over a list of parts, as `0x` hex. Two lists with other borders between their parts differ.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint(String);

/// The caller and its credentials. Stored with a payment, so neither is kept in plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The caller's address as rules about addresses tell callers apart (of version 6 the first 64 bits). `None`: the
    /// request does not say.
    pub caller: Option<Fingerprint>,
    /// The network that the caller's address is in (of version 6 the first 48 bits): as much as one subscriber may have to
    /// himself. For counting who is independent of whom, and never for telling who may collect. `None`: the request does
    /// not say, or it was stored before that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Fingerprint>,
    /// `Authorization`, `Cookie` and whatever else the seller's record lists.
    pub credentials: Fingerprint,
}

impl Fingerprint {
    /// The fingerprint of these parts, in this order.
    #[must_use]
    pub fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hasher = Keccak256::new();
        for part in parts {
            let part = part.as_ref();
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(x402_protocol::hex::encode(&hasher.finalize()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Fingerprint {
    /// The fingerprint of nothing.
    fn default() -> Self {
        Self::of::<&str>([])
    }
}

impl Default for Origin {
    /// A caller that does not say where it is, without credentials.
    fn default() -> Self {
        Self { caller: None, network: None, credentials: Fingerprint::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_run_together() {
        assert_ne!(Fingerprint::of(["ab", "c"]), Fingerprint::of(["a", "bc"]));
        assert_ne!(Fingerprint::of([""]), Fingerprint::default());
        assert_eq!(Fingerprint::of(["a"]), Fingerprint::of([b"a"]));
    }
}
