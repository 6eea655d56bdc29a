//! The parts of EIP-712 that both kinds of transfer are hashed with.

use crate::{Address, Uint256};
use sha3::{Digest, Keccak256};

pub(crate) type Word = [u8; 32];

/// The hash that a wallet signs.
pub(crate) fn digest(domain_separator: Word, struct_hash: Word) -> Word {
    Keccak256::new()
        .chain_update([0x19, 0x01])
        .chain_update(domain_separator)
        .chain_update(struct_hash)
        .finalize()
        .into()
}

/// The hash of a type's name and of its fields, each one word.
pub(crate) fn hash_struct<const N: usize>(type_string: &str, fields: [Word; N]) -> Word {
    let hasher = Keccak256::new().chain_update(keccak(type_string));
    fields.iter().fold(hasher, |hasher, field| hasher.chain_update(field)).finalize().into()
}

pub(crate) fn keccak(text: &str) -> Word {
    Keccak256::digest(text).into()
}

pub(crate) fn address(address: &Address) -> Word {
    let mut out = [0; 32];
    out[12..].copy_from_slice(&address.0);
    out
}

pub(crate) fn number(value: u64) -> Word {
    Uint256::from(value).0
}
