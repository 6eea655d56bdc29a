//! Signatures of a payment's digest. An account's key makes one of 65 bytes, which can be checked here.
//!
//! Surprising constraint: a length says nothing of an account. A smart account may take its owner's 65 bytes (EIP-1271),
//! and so may an account with a key and code (EIP-7702); only a chain can tell. So 65 bytes that do not recover to the
//! payer are *unproven* and not forged, whatever their `s` and recovery byte are: the account's code decides.

use crate::{
    Address,
    erc6492::{self, EnvelopeError},
    hex::{self, HexError},
    text::text_on_the_wire,
};
use k256::{
    AffinePoint, ProjectivePoint, Scalar, U256,
    ecdsa::{RecoveryId, Signature as Ecdsa, SigningKey, VerifyingKey},
    elliptic_curve::{
        ops::{Invert, LinearCombination, Reduce},
        point::DecompressPoint,
    },
};
use sha3::{Digest, Keccak256};
use std::{fmt, str::FromStr};

/// Longest signature we pass on. ERC-6492 wrappers carry a factory call; 4 kB is twice the longest seen in use.
pub const MAX_SIGNATURE_BYTES: usize = 4096;

/// A signature as the payment carries it. Displays as lower-case hex, whatever case the client sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signature {
    /// `r || s || v`: an account's key made it, or the owner of a smart account.
    Account([u8; 65]),
    /// A longer one, for a smart account to judge. If it claims to be an ERC-6492 envelope, it is one.
    SmartAccount(Vec<u8>),
}

/// How far we know by ourselves who signed a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The signature recovers to the payer's address: its key signed. Whether the payer's account has code that wants
    /// more than its key (EIP-7702), only a chain can tell.
    Recovered,
    /// It does not, or is a smart account's: anyone may have made it, and a facilitator must be asked.
    Unproven,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("is not 0x hex: {0}")]
    NotHex(#[from] HexError),
    #[error("has {0} bytes; a signature has 65, and a smart account's more, up to {MAX_SIGNATURE_BYTES}")]
    Length(usize),
    #[error("is an ERC-6492 envelope that cannot be opened: it {0}")]
    Envelope(#[from] EnvelopeError),
}

/// Why no key can be recovered from 65 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    #[error("signature's recovery byte is {0}, not 0, 1, 27 or 28")]
    RecoveryByte(u8),
    /// The other root of the same signature. Token contracts refuse it.
    #[error("signature has a high s")]
    HighS,
    #[error("signature recovers to no key")]
    NoKey,
}

impl Signature {
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        // Before it is decoded: a header may hold more.
        let length = text.len().saturating_sub(2) / 2;
        if !(65..=MAX_SIGNATURE_BYTES).contains(&length) {
            return Err(SignatureError::Length(length));
        }
        let bytes = hex::decode_any(text)?;
        if erc6492::is_envelope(&bytes) {
            erc6492::open(&bytes)?;
        }
        Ok(<[u8; 65]>::try_from(bytes.as_slice()).map_or(Self::SmartAccount(bytes), Self::Account))
    }

    /// Whether it is known to be the payer's, for what an account with a key signs.
    #[must_use]
    pub fn proof(&self, payer: Address, digest: &[u8; 32]) -> Proof {
        match self {
            Self::Account(bytes) if recover(bytes, digest) == Ok(payer) => Proof::Recovered,
            Self::Account(_) | Self::SmartAccount(_) => Proof::Unproven,
        }
    }
}

impl FromStr for Signature {
    type Err = SignatureError;
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        Self::parse(text)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Account(bytes) => hex::encode(bytes),
            Self::SmartAccount(bytes) => hex::encode(bytes),
        })
    }
}

text_on_the_wire!(Signature);

/// Recovers the account that signed `digest`.
pub fn recover(signature: &[u8; 65], digest: &[u8; 32]) -> Result<Address, RecoverError> {
    let recovery = match signature[64] {
        v @ (0 | 1) => v,
        v @ (27 | 28) => v - 27,
        v => return Err(RecoverError::RecoveryByte(v)),
    };
    let ecdsa = Ecdsa::from_slice(&signature[..64]).map_err(|_| RecoverError::NoKey)?;
    if ecdsa.normalize_s().is_some() {
        return Err(RecoverError::HighS);
    }
    let recovery = RecoveryId::from_byte(recovery).ok_or(RecoverError::RecoveryByte(recovery))?;
    signer_of(&ecdsa, recovery, digest).map(|key| address_of(&key)).ok_or(RecoverError::NoKey)
}

/// Recovers like `VerifyingKey::recover_from_prehash`, without verifying the signature with the key that it was just
/// solved for:
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
        assert_eq!(recover(&high, &digest), Err(RecoverError::HighS));
    }

    #[test]
    fn a_length_says_nothing_of_an_account_and_what_no_library_takes_is_refused() {
        let parse = |text: String| Signature::parse(&text);
        assert!(matches!(parse(format!("0x{}", "ab".repeat(66))), Ok(Signature::SmartAccount(_))));
        assert!(matches!(parse(format!("0x{}", "ab".repeat(65))), Ok(Signature::Account(_))));
        for length in [0, 1, 64, MAX_SIGNATURE_BYTES + 1] {
            assert_eq!(parse(format!("0x{}", "ab".repeat(length))), Err(SignatureError::Length(length)));
        }
        assert_eq!(parse(format!("0x{}", "zz".repeat(65))), Err(HexError::Digit.into()));
        assert_eq!(parse(format!("0X{}", "ab".repeat(65))), Err(HexError::NoPrefix.into()));
        assert_eq!(parse(format!("0x{}a", "ab".repeat(65))), Err(HexError::Odd.into()));
        let magic = hex::encode(&erc6492::MAGIC);
        for garbage in [33, 34, 66, 200] {
            let text = format!("0x{}{}", "11".repeat(garbage), &magic[2..]);
            assert!(matches!(parse(text), Err(SignatureError::Envelope(_))), "{garbage}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling() {
        for bytes in [65, 66] {
            let text = format!("0x{}", "ab".repeat(bytes));
            let upper = format!("0x{}", "AB".repeat(bytes));
            assert_eq!(Signature::parse(&upper).unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_what_recovers_to_the_payer_is_proven() {
        let (signer, other, digest) =
            (Signer::from_secret(&[7; 32]).unwrap(), Signer::from_secret(&[8; 32]).unwrap(), [9; 32]);
        let good = signer.sign(&digest);
        let proof = |bytes: [u8; 65], payer| Signature::Account(bytes).proof(payer, &digest);
        assert_eq!(proof(good, signer.address()), Proof::Recovered);
        assert_eq!(proof(good, other.address()), Proof::Unproven);
        let mut strange = good;
        strange[64] = 99;
        for unproven in [strange, [0; 65], [0xff; 65]] {
            assert_eq!(proof(unproven, signer.address()), Proof::Unproven);
        }
        assert_eq!(Signature::SmartAccount(vec![1; 66]).proof(signer.address(), &digest), Proof::Unproven);
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
