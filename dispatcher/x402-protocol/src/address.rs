//! EVM addresses. Clients differ in case (checksummed or lower), so two addresses are compared as bytes, never as text.

use crate::hex::{self, HexError};
use crate::text::{debug_as_text, text_on_the_wire};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use std::{fmt, str::FromStr};

/// A 20-byte account or contract address. Displays with its EIP-55 checksum, which every client accepts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(pub [u8; 20]);

impl Address {
    /// Reads an address that a person wrote down. Of one case alone it says nothing of itself; in both, its checksum holds.
    pub fn parse_checked(text: &str) -> Result<Address, ChecksumError> {
        let address: Address = text.parse()?;
        let digits = text.get(2..).unwrap_or_default();
        let has = |is: fn(&u8) -> bool| digits.as_bytes().iter().any(is);
        let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        if is_mixed && address.to_string() != text { Err(ChecksumError::Checksum) } else { Ok(address) }
    }

    /// Lower-case hex: for keys, where one address must have one spelling.
    #[must_use]
    pub fn lower(&self) -> String {
        hex::encode(&self.0)
    }
}

/// Text that is no address a person can have meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    #[error(transparent)]
    Hex(#[from] HexError),
    #[error("has capital letters that are not its checksum's (EIP-55): a digit or a letter is wrong")]
    Checksum,
}

impl FromStr for Address {
    type Err = HexError;
    /// Takes any case. A wrong checksum is not an error: some clients send lower case, and the signature binds the bytes.
    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower = self.lower();
        let hash = Keccak256::digest(&lower.as_bytes()[2..]);
        f.write_str("0x")?;
        for (i, digit) in lower[2..].chars().enumerate() {
            let nibble = hash[i / 2] >> (4 * (1 - i % 2)) & 15;
            write!(f, "{}", if nibble >= 8 { digit.to_ascii_uppercase() } else { digit })?;
        }
        Ok(())
    }
}

text_on_the_wire!(Address);
debug_as_text!(Address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_the_examples_of_eip_55() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            let address: Address = text.to_lowercase().parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(Address::parse_checked(text), Ok(address));
        }
    }

    #[test]
    fn what_a_person_wrote_in_both_cases_holds_its_checksum() {
        let good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        for text in [good.to_lowercase(), good.to_uppercase().replace('X', "x")] {
            assert_eq!(Address::parse_checked(&text), good.parse().map_err(ChecksumError::Hex), "{text}");
        }
        for at in 2..good.len() {
            let mut other = good.as_bytes().to_vec();
            other[at] = if other[at] == b'7' { b'8' } else { b'7' };
            assert_eq!(Address::parse_checked(std::str::from_utf8(&other).unwrap()), Err(ChecksumError::Checksum));
        }
        assert!(matches!(Address::parse_checked("0x1"), Err(ChecksumError::Hex(_))));
        assert!(matches!(Address::parse_checked("0\u{e9}"), Err(ChecksumError::Hex(_))));
    }
}
