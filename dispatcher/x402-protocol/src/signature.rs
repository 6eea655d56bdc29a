//! Secp256k1 signatures over a digest. A 65-byte signature is an externally owned account's and can be checked here;
//! longer ones belong to smart accounts (EIP-1271, ERC-6492), which only a chain can check.

use crate::{Address, hex};
use k256::{
    AffinePoint, ProjectivePoint, Scalar, U256,
    ecdsa::{RecoveryId, Signature as Ecdsa, SigningKey, VerifyingKey},
    elliptic_curve::{
        ops::{Invert, LinearCombination, Reduce},
        point::DecompressPoint,
    },
};
use sha3::{Digest, Keccak256};

/// Longest signature we pass on. ERC-6492 wrappers carry a factory call; 4 kB is twice the longest seen in use.
pub const MAX_SIGNATURE_BYTES: usize = 4096;

/// A signature as the payment carries it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signature {
    /// `r || s || v` of an externally owned account.
    Account([u8; 65]),
    /// Anything longer: for the facilitator to judge.
    SmartAccount(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("signature is not 0x hex")]
    NotHex,
    #[error("signature has {0} bytes; an account's has 65 and a smart account's more, up to {MAX_SIGNATURE_BYTES}")]
    Length(usize),
    #[error("signature's recovery byte is {0}, not 0, 1, 27 or 28")]
    RecoveryByte(u8),
    /// The other root of the same signature: contracts refuse it, so a facilitator would too.
    #[error("signature has a high s")]
    HighS,
    #[error("signature recovers to no key")]
    NoKey,
}

impl Signature {
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let bytes = (text.len().saturating_sub(2)) / 2;
        if !(65..=MAX_SIGNATURE_BYTES).contains(&bytes) {
            return Err(SignatureError::Length(bytes));
        }
        if let Ok(account) = hex::decode::<65>(text) {
            return Ok(Self::Account(account));
        }
        let digits = text.strip_prefix("0x").ok_or(SignatureError::NotHex)?;
        if digits.len() % 2 != 0 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(SignatureError::NotHex);
        }
        Ok(Self::SmartAccount(digits.as_bytes().to_vec()))
    }
}

/// Recovers the account that signed `digest`.
pub fn recover(signature: &[u8; 65], digest: &[u8; 32]) -> Result<Address, SignatureError> {
    let recovery = match signature[64] {
        v @ (0 | 1) => v,
        v @ (27 | 28) => v - 27,
        v => return Err(SignatureError::RecoveryByte(v)),
    };
    let ecdsa = Ecdsa::from_slice(&signature[..64]).map_err(|_| SignatureError::NoKey)?;
    if ecdsa.normalize_s().is_some() {
        return Err(SignatureError::HighS);
    }
    let recovery = RecoveryId::from_byte(recovery).ok_or(SignatureError::RecoveryByte(recovery))?;
    signer_of(&ecdsa, recovery, digest).map(|key| address_of(&key)).ok_or(SignatureError::NoKey)
}

/// As `VerifyingKey::recover_from_prehash` does, without verifying the signature with the key that it was just solved for:
/// that holds by construction, and takes as long again. `Q = (s·R - z·G) / r`, for the point `R` at `r` (SEC 1, 4.1.6).
fn signer_of(signature: &Ecdsa, recovery: RecoveryId, digest: &[u8; 32]) -> Option<VerifyingKey> {
    let (r, s) = signature.split_scalars();
    let z = <Scalar as Reduce<U256>>::reduce_bytes(&(*digest).into());
    let point =
        Option::<AffinePoint>::from(AffinePoint::decompress(&r.to_bytes(), u8::from(recovery.is_y_odd()).into()))?;
    let inverse = *r.invert();
    let (of_base, of_point) = (-(inverse * z), inverse * *s);
    let key = ProjectivePoint::lincomb(&ProjectivePoint::GENERATOR, &of_base, &point.into(), &of_point);
    VerifyingKey::from_affine(key.to_affine()).ok()
}

/// A key that signs, for clients. The dispatcher holds none.
pub struct Signer {
    key: SigningKey,
    address: Address,
}

impl Signer {
    /// `None` for the few byte strings that are no valid secret key (zero, or beyond the curve's order).
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Option<Self> {
        let key = SigningKey::from_slice(secret).ok()?;
        let address = address_of(key.verifying_key());
        Some(Self { key, address })
    }

    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// Deterministic (RFC 6979), low s, `v` of 27 or 28.
    #[must_use]
    pub fn sign(&self, digest: &[u8; 32]) -> [u8; 65] {
        let (ecdsa, recovery) =
            self.key.sign_prehash_recoverable(digest).expect("a 32-byte prehash always signs with a valid key");
        let mut out = [0; 65];
        out[..64].copy_from_slice(&ecdsa.to_bytes());
        out[64] = 27 + recovery.to_byte();
        out
    }
}

fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    let hash = Keccak256::digest(&point.as_bytes()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_the_other_root_of_a_good_signature() {
        let signer = Signer::from_secret(&[7; 32]).unwrap();
        let digest = [9; 32];
        let good = signer.sign(&digest);
        assert_eq!(recover(&good, &digest), Ok(signer.address()));
        let s = k256::NonZeroScalar::try_from(&good[32..64]).unwrap();
        let mut high = good;
        high[32..64].copy_from_slice(&(-*s).to_bytes());
        high[64] = if good[64] == 27 { 28 } else { 27 };
        assert_eq!(recover(&high, &digest), Err(SignatureError::HighS));
    }

    #[test]
    fn longer_signatures_are_left_to_the_facilitator() {
        assert!(matches!(Signature::parse(&format!("0x{}", "ab".repeat(66))), Ok(Signature::SmartAccount(_))));
        assert_eq!(Signature::parse(&format!("0x{}", "ab".repeat(64))), Err(SignatureError::Length(64)));
        assert_eq!(Signature::parse(&format!("0x{}", "zz".repeat(65))), Err(SignatureError::NotHex));
    }

    proptest! {
        #[test]
        fn what_was_signed_recovers_to_the_signer(secret in prop::array::uniform32(1u8..), digest: [u8; 32]) {
            if let Some(signer) = Signer::from_secret(&secret) {
                prop_assert_eq!(recover(&signer.sign(&digest), &digest), Ok(signer.address()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(signature in prop::collection::vec(any::<u8>(), 65), digest: [u8; 32]) {
            let _ = recover(&signature.try_into().unwrap(), &digest);
        }

        #[test]
        fn whatever_the_bytes_it_finds_the_key_that_the_library_finds(
            bytes in prop::collection::vec(any::<u8>(), 64), odd: bool, digest: [u8; 32],
        ) {
            if let Ok(signature) = Ecdsa::from_slice(&bytes).map(|signature| signature.normalize_s().unwrap_or(signature)) {
                let recovery = RecoveryId::new(odd, false);
                let theirs = VerifyingKey::recover_from_prehash(&digest, &signature, recovery).ok();
                prop_assert_eq!(signer_of(&signature, recovery, &digest), theirs);
            }
        }
    }
}
