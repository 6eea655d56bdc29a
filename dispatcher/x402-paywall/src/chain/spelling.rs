//! Numbers, hashes and words as nodes spell them: hex with `0x` or without, in either case, and now and then a number.

use serde_json::Value;
use x402_protocol::hex;

/// The bytes of a hash, an address or a word. `None`: it is none.
pub(super) fn bytes<const N: usize>(value: &Value) -> Option<[u8; N]> {
    let text = value.as_str()?.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    hex::decode(&format!("0x{digits}")).ok()
}

/// A quantity.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let text = text.trim();
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
            u64::from_str_radix(digits, 16).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hash_is_read_however_it_is_spelt() {
        for text in ["0xabcd", "abcd", "0XABCD", "0xABCD", " ABcd "] {
            assert_eq!(bytes::<2>(&json!(text)), Some([0xab, 0xcd]), "{text}");
        }
        for other in [json!("0xabc"), json!("0xabcdef"), json!("0xabcg"), json!(43981), json!(null), json!("")] {
            assert_eq!(bytes::<2>(&other), None, "{other}");
        }
    }

    #[test]
    fn a_quantity_is_hex_with_its_prefix_or_a_number() {
        for same in [json!("0x10"), json!("0X10"), json!("0x0010"), json!(16)] {
            assert_eq!(number(&same), Some(16), "{same}");
        }
        for other in [json!("10"), json!("0x"), json!(-1), json!(1.5), json!(null), json!("0x1ffffffffffffffff")] {
            assert_eq!(number(&other), None, "{other}");
        }
    }
}
