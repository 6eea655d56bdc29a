//! Who signed what, remembered between the doubles of a world and the wallets that sign for its callers: each payment is
//! verified and settled, and recovering its key is the dearest thing that a simulated run does. Signature and digest alone
//! decide it, so nothing can come out otherwise; of any other signature, or digest, the key is recovered.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use x402_protocol::{Address, signature};

/// Far more payments than are under way at once. When it is full all is forgotten, and recovered again where it is asked for.
const MOST_KNOWN: usize = 4_096;

#[derive(Default)]
pub struct Signers {
    known: Mutex<BTreeMap<Signed, Option<Address>>>,
}

type Signed = ([u8; 65], [u8; 32]);

impl Signers {
    /// A wallet has just made this signature, with the key of this address.
    pub fn signed(&self, signature: &[u8; 65], digest: &[u8; 32], by: Address) {
        self.known().insert((*signature, *digest), Some(by));
    }

    /// `None`: nobody could have.
    pub fn signer(&self, signature: &[u8; 65], digest: &[u8; 32]) -> Option<Address> {
        *self.known().entry((*signature, *digest)).or_insert_with(|| signature::recover(signature, digest).ok())
    }

    /// With room for one more.
    fn known(&self) -> MutexGuard<'_, BTreeMap<Signed, Option<Address>>> {
        // Nothing under the lock can panic half-way through a change.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x402_protocol::signature::Signer;

    #[test]
    fn it_says_of_a_known_signature_what_it_said_at_first_and_nothing_else_of_another_digest() {
        let (signers, key) = (Signers::default(), Signer::from_secret(&[7; 32]).unwrap());
        let (digest, other) = ([1; 32], [2; 32]);
        let signature = key.sign(&digest);
        for _ in 0..2 {
            assert_eq!(signers.signer(&signature, &digest), Some(key.address()));
            assert_ne!(signers.signer(&signature, &other), Some(key.address()));
            assert_eq!(signers.signer(&[0; 65], &digest), None);
        }
    }

    #[test]
    fn what_a_wallet_says_that_it_signed_is_what_would_be_recovered() {
        let (told, untold, key) = (Signers::default(), Signers::default(), Signer::from_secret(&[7; 32]).unwrap());
        let (digest, other) = ([1; 32], [2; 32]);
        let signature = key.sign(&digest);
        told.signed(&signature, &digest, key.address());
        let mut broken = signature;
        broken[10] ^= 1;
        for (signature, digest) in [(signature, digest), (signature, other), (broken, digest)] {
            assert_eq!(told.signer(&signature, &digest), untold.signer(&signature, &digest));
        }
    }
}
