//! A price in USDC: "0.01". Read as decimal digits, never through a float, because the amount is compared for equality
//! with what moved.

use super::problem::{Problem, Problems};
use std::fmt;
use toml::Spanned;

/// Decimal places of USDC on every network it is on.
const DECIMALS: usize = 6;

/// The x402 clients' own spend control refuses more than a dollar, so a dearer tenant could never be paid.
const MAX_PRICE: Usdc = Usdc(1_000_000);

/// An amount in millionths of a dollar, which are the token's atomic units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usdc(u64);

impl Usdc {
    pub fn atomic(self) -> u64 {
        self.0
    }

    /// A price, in decimal digits; `None` where the text is not one.
    pub fn new(text: &str) -> Option<Self> {
        read(text).filter(|price| price.0 > 0 && *price <= MAX_PRICE)
    }

    pub fn check(raw: &Spanned<String>, problems: &mut Problems) -> Option<Self> {
        let Some(price) = read(raw.get_ref()) else {
            let what = format!("`{}` is not a price", raw.get_ref());
            let help = "USDC in decimal digits, at most six after the point: \"0.01\"";
            problems.add(Problem::new(raw.span(), what, "not an amount of USDC").help(help));
            return None;
        };
        if price.0 == 0 || price > MAX_PRICE {
            let what = format!("a price is more than 0 and at most {MAX_PRICE} USDC");
            let help = "leave the price out for a free tenant";
            problems.add(Problem::new(raw.span(), what, "out of range").help(help));
            return None;
        }
        Some(price)
    }
}

impl fmt::Display for Usdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn read(text: &str) -> Option<Usdc> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > DECIMALS {
        return None;
    }
    format!("{whole}{part:0<DECIMALS$}").parse().ok().map(Usdc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_decimal_digits_into_atomic_units() {
        assert_eq!(read("0.01"), Some(Usdc(10_000)));
        assert_eq!(read("1"), Some(Usdc(1_000_000)));
        assert_eq!(read("0.000001"), Some(Usdc(1)));
        for text in ["", ".1", "1.", "0.0000001", "-1", "1e3", "$1", "0,01"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn shows_no_more_digits_than_needed() {
        assert_eq!(Usdc(10_000).to_string(), "0.01");
        assert_eq!(Usdc(1_000_000).to_string(), "1");
    }
}
