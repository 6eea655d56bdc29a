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

/// A fault in an address that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error(transparent)]
    Hex(#[from] HexError),
    #[error("has capital letters that are not its checksum's (EIP-55): a digit or a letter is wrong")]
    Checksum,
}

impl Address {
    /// Reads an address that a person wrote, such as a seller's `payTo`: in mixed case it must hold its EIP-55 checksum,
    /// which notices a wrong digit. In one case there is none to hold.
    pub fn parse_checked(text: &str) -> Result<Self, AddressError> {
        let address: Self = text.parse()?;
        let digits = || text.bytes().skip(2).filter(u8::is_ascii_alphabetic);
        let is_mixed = digits().any(|b| b.is_ascii_lowercase()) && digits().any(|b| b.is_ascii_uppercase());
        if is_mixed && address.to_string() != text { Err(AddressError::Checksum) } else { Ok(address) }
    }

    /// Lower-case hex: for keys, where one address must have one spelling.
    #[must_use]
    pub fn lower(&self) -> String {
        hex::encode(&self.0)
    }
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
    fn a_person_who_mistypes_a_digit_is_told() {
        let good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        for text in [good.to_owned(), good.to_lowercase(), format!("0x{}", good[2..].to_uppercase())] {
            assert_eq!(Address::parse_checked(&text).unwrap().to_string(), good);
        }
        let last_digit = good.replace("Aed", "Aec");
        let last_case = good.replace("Aed", "AeD");
        for damaged in [good.replacen("6053", "6054", 1), last_digit, last_case] {
            assert_eq!(Address::parse_checked(&damaged), Err(AddressError::Checksum), "{damaged}");
        }
        assert_eq!(Address::parse_checked(&good[..41]), Err(HexError::Length { wanted: 40, found: 39 }.into()));
        assert_eq!(Address::parse_checked(&good.replace("0x", "0X")), Err(HexError::NoPrefix.into()));
    }

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
}
