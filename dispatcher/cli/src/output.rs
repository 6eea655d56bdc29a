//! What is printed: results on standard output, everything else on standard error. A closed pipe is no failure.

use dispatcher_core::log_text::is_plain;
use std::io::{IsTerminal, Write};

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON value
    Json,
}

/// Prints a result. A file or a program gets it letter by letter; a terminal would obey some of them, whoever wrote them.
pub fn out(text: &str) {
    let text = if std::io::stdout().is_terminal() { lines(text) } else { text.to_owned() };
    // Who has closed the pipe wants no more of it.
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Tells what goes on.
pub fn err(text: &str) {
    let text = if std::io::stderr().is_terminal() { lines(text) } else { text.to_owned() };
    report(&text);
}

/// Prints a failure, which has colours of its own. The words in it were made plain when it was made.
pub fn report(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Text that others wrote, in one line: without what could steer a terminal, and without an end of line, behind which it could
/// look like a line of ours.
pub fn plain(text: &str) -> String {
    text.chars().map(|one| if is_plain(one) { one } else { '\u{fffd}' }).collect()
}

/// The same of a text that may have several lines.
pub fn lines(text: &str) -> String {
    text.chars().map(|one| if is_plain(one) || matches!(one, '\n' | '\t') { one } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_steers_a_terminal_or_makes_a_line_of_its_own() {
        let hostile = "a\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{202e}b\n2026-11-29  platform  make account\tx\r";
        let (plain, lines) = (plain(hostile), lines(hostile));
        assert!(plain.chars().all(is_plain) && !plain.contains('\n'), "{plain:?}");
        assert!(lines.chars().all(|one| is_plain(one) || matches!(one, '\n' | '\t')) && lines.contains('\n'));
        assert_eq!(lines.chars().count(), hostile.chars().count());
    }
}
