//! Decimal numbers of any length, compared by value and never rounded.

use std::cmp::Ordering;

/// A number in JSON's grammar, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    negative: bool,
    /// Digits before the point.
    whole: &'a str,
    /// Digits behind it.
    fraction: &'a str,
    /// Positions that the point moves to the right.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads a number in JSON's grammar.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let whole_is_plain = whole == "0" || !whole.is_empty() && !whole.starts_with('0');
        (whole_is_plain && digits(whole) && digits(fraction)).then_some(Self { negative, whole, fraction, exponent })
    }

    /// Whether a 64-bit float has this very value in mind: few enough digits, and an exponent that it has.
    pub fn fits_float(&self) -> bool {
        let (first, digits) = self.digits();
        let count = digits.rev().skip_while(|digit| *digit == b'0').count();
        count <= 15 && (-290..=290).contains(&first)
    }

    fn is_zero(&self) -> bool {
        self.whole.bytes().chain(self.fraction.bytes()).all(|digit| digit == b'0')
    }

    /// The position of the first digit that counts, and the digits from there.
    fn digits(&self) -> (i64, impl DoubleEndedIterator<Item = u8> + Clone + use<'a>) {
        let all = self.whole.bytes().chain(self.fraction.bytes());
        let leading = all.clone().take_while(|digit| *digit == b'0').count();
        let first = (self.whole.len() as i64 - leading as i64).saturating_add(self.exponent);
        let rest = self.whole.len().min(leading);
        let digits = self.whole.as_bytes()[rest..].iter().chain(self.fraction.as_bytes()[leading - rest..].iter());
        (first, digits.copied())
    }

    fn cmp_size(&self, other: &Self) -> Ordering {
        let ((first, mut ours), (their_first, mut theirs)) = (self.digits(), other.digits());
        first.cmp(&their_first).then_with(|| {
            loop {
                match (ours.next(), theirs.next()) {
                    (None, None) => return Ordering::Equal,
                    (ours, theirs) => match ours.unwrap_or(b'0').cmp(&theirs.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        other => return other,
                    },
                }
            }
        })
    }
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Beyond that no two numbers that anybody means differ.
    is_plain.then(|| text.parse().unwrap_or(if text.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 }))
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero(), self.negative, other.negative) {
            (true, true, ..) => Ordering::Equal,
            (true, false, _, negative) => {
                if negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, true, negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, _, true, false) => Ordering::Less,
            (_, _, false, true) => Ordering::Greater,
            (_, _, false, false) => self.cmp_size(other),
            (_, _, true, true) => other.cmp_size(self),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decimal<'_> {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_are_compared_by_value_whatever_their_length() {
        let ordered = [
            "-1e400",
            "-12345678901234567890123",
            "-2.5",
            "-0.001",
            "0",
            "1e-400",
            "0.0009",
            "0.1",
            "0.10001",
            "1",
            "9.99",
            "10",
            "12345678901234567890.1",
            "12345678901234567890.2",
            "1e30",
        ];
        for (n, less) in ordered.iter().enumerate() {
            for more in &ordered[n + 1..] {
                assert!(read(less) < read(more) && read(more) > read(less), "{less} < {more}");
            }
        }
        for (one, same) in [("1.0", "1"), ("100", "1e2"), ("0.5", "5E-1"), ("-0", "0.00"), ("1.10", "1.1")] {
            assert_eq!(read(one), read(same));
        }
    }

    #[test]
    fn what_is_no_number_in_json_is_none() {
        for text in ["", "-", "007", "1.", ".5", "+1", "1e", "1e+", "0x1", "1,5", "NaN", " 1", "1_000", "--1"] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_float_has_fifteen_digits() {
        for (text, fits) in [("123456789.012345", true), ("1234567890.1234567", false), ("1e300", false), ("0", true)] {
            assert_eq!(read(text).fits_float(), fits, "{text}");
        }
    }
}
