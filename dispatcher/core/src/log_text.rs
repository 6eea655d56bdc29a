//! Text of others in a log line: cut, so that no caller writes a megabyte of it, and with nothing in it that a terminal
//! obeys. JSON escapes a control character, and whoever prints the text has it back; so it is told in plain letters here.

use std::fmt::Write;

/// Longest text of one value, in bytes.
pub const MAX_BYTES: usize = 512;
const CUT: &str = "…";

/// The text as a line may have it.
#[must_use]
pub fn bounded(text: &str) -> String {
    let mut told = String::with_capacity(text.len().min(MAX_BYTES));
    for c in text.chars() {
        let before = told.len();
        if is_plain(c) {
            told.push(c);
        } else {
            write!(told, "\\u{{{:x}}}", u32::from(c)).expect("a string takes any text");
        }
        if told.len() > MAX_BYTES {
            told.truncate(before);
            while told.len() + CUT.len() > MAX_BYTES {
                told.pop();
            }
            told.push_str(CUT);
            break;
        }
    }
    told
}

/// Whether every character shows as itself, and in its place.
#[must_use]
pub fn is_plain_text(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// Whether a character shows as itself. Controls steer a terminal; marks of direction and of line turn what is read around.
#[must_use]
pub fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_short_and_plain_is_told_as_it_is() {
        for text in ["", "GET /quote?a", "größe 中文 🙂", &"x".repeat(MAX_BYTES)] {
            assert_eq!(bounded(text), text);
        }
        assert_eq!(bounded("a\u{1b}[2Jb\n\u{202e}c\u{9b}"), "a\\u{1b}[2Jb\\u{a}\\u{202e}c\\u{9b}");
        assert_eq!(bounded(&"x".repeat(MAX_BYTES + 1)), format!("{}{CUT}", "x".repeat(MAX_BYTES - CUT.len())));
    }

    proptest! {
        #[test]
        fn no_text_is_longer_or_steers_a_terminal(text in any::<String>(), times in 1_usize..200) {
            let told = bounded(&text.repeat(times));
            prop_assert!(told.len() <= MAX_BYTES && is_plain_text(&told));
            prop_assert_eq!(bounded(&told).len(), told.len());
        }
    }
}
