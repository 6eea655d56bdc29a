//! Amounts of USDC: whole atomic units, of which a million are one. Never a float.

use std::{fmt, str::FromStr};

const DECIMALS: usize = 6;
/// More than anybody means to charge for one request.
const MOST: u64 = 1_000_000_000_000;

/// About what one settlement costs on Base, in atomic units. A price below it loses money, whoever pays the gas.
pub const SETTLEMENT_COST: Usdc = Usdc(1_440);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Usdc(pub u64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("{0:?} is not an amount of USDC, such as 0.001")]
    Spelling(String),
    #[error("{0:?} has more than six digits behind the point, and USDC has six")]
    Decimals(String),
    #[error("{0:?} is nothing; leave the price out for a free API")]
    Zero(String),
    #[error("{0:?} is more than a million USDC")]
    TooMuch(String),
}

impl Usdc {
    /// Reads an amount that may be nothing.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = !whole.is_empty() && digits(whole) && digits(fraction) && !text.ends_with('.');
        if !is_plain {
            return Err(AmountError::Spelling(text.to_owned()));
        }
        if fraction.len() > DECIMALS {
            return Err(AmountError::Decimals(text.to_owned()));
        }
        let atomic: Option<u64> = format!("{whole}{fraction:0<DECIMALS$}").parse().ok();
        atomic.filter(|atomic| *atomic <= MOST).map(Self).ok_or_else(|| AmountError::TooMuch(text.to_owned()))
    }
}

/// A price, which is never nothing.
impl FromStr for Usdc {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        match Self::parse(text)? {
            Self(0) => Err(AmountError::Zero(text.to_owned())),
            amount => Ok(amount),
        }
    }
}

impl fmt::Display for Usdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % 1_000_000);
        let short = fraction.trim_end_matches('0');
        // Cents are written out.
        let fraction = if short.len() < 2 { &fraction[..2] } else { short };
        write!(f, "{}.{fraction}", self.0 / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_whole_atomic_units() {
        for (text, atomic, told) in [
            ("0.001", 1_000, "0.001"),
            ("0.01", 10_000, "0.01"),
            ("1", 1_000_000, "1.00"),
            ("0.1", 100_000, "0.10"),
            ("0.000001", 1, "0.000001"),
            ("12.345678", 12_345_678, "12.345678"),
        ] {
            let amount: Usdc = text.parse().unwrap();
            assert_eq!((amount.0, amount.to_string().as_str()), (atomic, told));
        }
        for wrong in
            ["", ".", "1.", ".5", "-1", "1e-3", "0,01", "$1", "0.0000001", "0", "0.000000", "1000000.000001", "1 "]
        {
            assert!(wrong.parse::<Usdc>().is_err(), "{wrong:?}");
        }
    }
}
