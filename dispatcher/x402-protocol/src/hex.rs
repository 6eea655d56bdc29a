//! `0x` hex. The prefix is required, as the specification's examples always carry it.

/// The fault of a hex string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    #[error("does not start with 0x")]
    NoPrefix,
    #[error("has {found} hex digits, not {wanted}")]
    Length { wanted: usize, found: usize },
    #[error("has a character that is not a hex digit")]
    Digit,
    #[error("has half a byte at its end")]
    Odd,
}

/// Decodes `0x` and exactly `2 * N` hex digits of either case.
pub fn decode<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.strip_prefix("0x").ok_or(HexError::NoPrefix)?;
    if digits.len() != 2 * N {
        return Err(HexError::Length { wanted: 2 * N, found: digits.chars().count() });
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

/// Decodes `0x` and any even number of hex digits of either case.
pub fn decode_any(text: &str) -> Result<Vec<u8>, HexError> {
    let digits = text.strip_prefix("0x").ok_or(HexError::NoPrefix)?;
    if digits.len() % 2 != 0 {
        return Err(HexError::Odd);
    }
    digits.as_bytes().chunks_exact(2).map(|pair| Ok(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

/// Lower-case hex with the `0x` prefix.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

fn nibble(digit: u8) -> Result<u8, HexError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(HexError::Digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(decode::<2>("0xAbcd"), Ok([0xab, 0xcd]));
        assert_eq!(decode::<2>("abcd"), Err(HexError::NoPrefix));
        assert_eq!(decode::<2>("0xabc"), Err(HexError::Length { wanted: 4, found: 3 }));
        assert_eq!(decode::<2>("0xabcg"), Err(HexError::Digit));
        assert_eq!(decode_any("0xAbcd"), Ok(vec![0xab, 0xcd]));
        assert_eq!(decode_any("0xabc"), Err(HexError::Odd));
        assert_eq!(decode_any("0Xabcd"), Err(HexError::NoPrefix));
        assert_eq!(decode_any("0x\u{e9}"), Err(HexError::Digit));
    }
}
