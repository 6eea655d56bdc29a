//! Token amounts and timestamps as the chain has them: unsigned, 256 bits, decimal on the wire.
//!
//! Timestamps are uint256 too: some wallets sign `validBefore = 2^256 - 1`, and that must not be an error.

use crate::text::{debug_as_text, text_on_the_wire};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Big-endian, so that the derived order is the numeric one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uint256(pub [u8; 32]);

/// The fault of a decimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("is empty")]
    Empty,
    #[error("has a character that is not a decimal digit")]
    Digit,
    #[error("has a leading zero")]
    LeadingZero,
    #[error("does not fit in 256 bits")]
    Overflow,
}

impl Uint256 {
    pub const ZERO: Self = Self([0; 32]);

    /// The value, or `u64::MAX` where it is larger: for comparing with clocks, which never get there.
    #[must_use]
    pub fn saturating_u64(&self) -> u64 {
        let (high, low) = self.0.split_at(24);
        if high.iter().any(|byte| *byte != 0) {
            return u64::MAX;
        }
        low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn times_ten_plus(self, digit: u8) -> Option<Self> {
        let mut out = self.0;
        let mut carry = u16::from(digit);
        for byte in out.iter_mut().rev() {
            let value = u16::from(*byte) * 10 + carry;
            *byte = (value & 0xff) as u8;
            carry = value >> 8;
        }
        (carry == 0).then_some(Self(out))
    }

    fn divided_by_ten(self) -> (Self, u8) {
        let mut out = self.0;
        let mut rest = 0u16;
        for byte in &mut out {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 10) as u8;
            rest = value % 10;
        }
        (Self(out), rest as u8)
    }
}

impl From<u64> for Uint256 {
    fn from(value: u64) -> Self {
        let mut out = [0; 32];
        out[24..].copy_from_slice(&value.to_be_bytes());
        Self(out)
    }
}

impl FromStr for Uint256 {
    type Err = DecimalError;
    /// One number has one spelling: signs, spaces and leading zeros are refused, so that equal text means equal value.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        if text.is_empty() {
            return Err(DecimalError::Empty);
        }
        if text.len() > 1 && text.starts_with('0') {
            return Err(DecimalError::LeadingZero);
        }
        text.bytes().try_fold(Self::ZERO, |value, digit| {
            let digit = digit.checked_sub(b'0').filter(|d| *d < 10).ok_or(DecimalError::Digit)?;
            value.times_ten_plus(digit).ok_or(DecimalError::Overflow)
        })
    }
}

impl fmt::Display for Uint256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Vec::new();
        let mut rest = *self;
        loop {
            let (quotient, digit) = rest.divided_by_ten();
            digits.push(char::from(b'0' + digit));
            rest = quotient;
            if rest == Self::ZERO {
                break;
            }
        }
        digits.iter().rev().try_for_each(|digit| write!(f, "{digit}"))
    }
}

text_on_the_wire!(Uint256);
debug_as_text!(Uint256);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    #[test]
    fn takes_the_largest_value_and_refuses_the_next() {
        assert_eq!(MAX.parse::<Uint256>().unwrap(), Uint256([0xff; 32]));
        assert_eq!(MAX.parse::<Uint256>().unwrap().saturating_u64(), u64::MAX);
        let next = format!("{}6", &MAX[..MAX.len() - 1]);
        assert_eq!(next.parse::<Uint256>(), Err(DecimalError::Overflow));
    }

    #[test]
    fn refuses_a_second_spelling() {
        for text in ["", "01", "+1", "-1", "1.0", " 1", "0x1", "1e3", "١"] {
            assert!(text.parse::<Uint256>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn displays_what_it_parsed(bytes: [u8; 32]) {
            let value = Uint256(bytes);
            prop_assert_eq!(value.to_string().parse::<Uint256>(), Ok(value));
        }

        #[test]
        fn orders_and_prints_as_u64_does(a: u64, b: u64) {
            prop_assert_eq!(Uint256::from(a).cmp(&Uint256::from(b)), a.cmp(&b));
            prop_assert_eq!(Uint256::from(a).to_string(), a.to_string());
            prop_assert_eq!(Uint256::from(a).saturating_u64(), a);
        }
    }
}
