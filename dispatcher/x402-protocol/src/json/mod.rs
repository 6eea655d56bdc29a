//! JSON from outside: bounds that are checked before it is parsed or passed on, since whoever reads it after us may
//! recurse, and a reading that no other reader can differ from.

pub(crate) mod members;
pub(crate) mod node;
mod read;
pub(crate) mod shape;

pub use read::read;
pub use shape::{Misnamed, NameFault};

/// Deepest nesting passed on to a facilitator. A payment nests five deep; the rest is room for extensions and their
/// schemas.
pub const MAX_DEPTH: usize = 32;

/// Whether arrays and objects nest at most [`MAX_DEPTH`] deep. Says nothing else about the text, which may be no JSON.
#[must_use]
pub fn depth_fits(text: &str) -> bool {
    depth(text.as_bytes()) <= MAX_DEPTH
}

/// How deep brackets nest, strings aside. Counted without building anything, so that no depth can hurt.
#[must_use]
pub fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn brackets_inside_strings_do_not_nest() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(depth_fits(&nested(MAX_DEPTH)) && !depth_fits(&nested(MAX_DEPTH + 1)));
        assert!(depth_fits(&format!(r#"{{"a": "{}", "b\"": "\\"}}"#, "[{".repeat(100))));
        assert!(!depth_fits(&format!(r#""\\"{}"#, nested(MAX_DEPTH + 1))));
    }

    proptest! {
        #[test]
        fn agrees_with_a_parser_about_depth(depth in 1_usize..64, text in "[a-z\\[{\"\\\\]{0,20}") {
            let json = (0..depth).fold(serde_json::json!(text), |inner, _| serde_json::json!([inner]));
            prop_assert_eq!(depth_fits(&json.to_string()), depth <= MAX_DEPTH);
        }
    }
}
