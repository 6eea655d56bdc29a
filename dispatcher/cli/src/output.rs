//! What is printed: results on standard output, everything else on standard error. A closed pipe is no failure.

use std::io::Write;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON value
    Json,
}

pub fn out(text: &str) {
    // Who has closed the pipe wants no more of it.
    let _ = writeln!(anstream::stdout(), "{text}");
}

pub fn err(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Text that others wrote, without what could steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() && one != '\n' && one != '\t' { '\u{fffd}' } else { one }).collect()
}
