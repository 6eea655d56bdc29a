//! How a command prints: one spelling for all of them.

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// JSON alone, an error too
    Json,
}

/// Flattened into every command that prints what a program may want to read.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArgs {
    /// How to print
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

impl FormatArgs {
    pub fn is_json(self) -> bool {
        self.format == Format::Json
    }
}

/// Whether a command line asks for JSON, even if nothing else of it can be read.
#[must_use]
pub fn asks_for_json<S: AsRef<str>>(args: &[S]) -> bool {
    let words: Vec<&str> = args.iter().map(AsRef::as_ref).take_while(|word| *word != "--").collect();
    words.contains(&"--format=json") || words.windows(2).any(|pair| pair == ["--format", "json"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_asked_for_by_the_flag_and_by_nothing_that_looks_like_it() {
        assert!(asks_for_json(&["harness", "list", "--format", "json"]));
        assert!(asks_for_json(&["harness", "--format=json", "nonsense"]));
        assert!(!asks_for_json(&["harness", "list", "json"]));
        assert!(!asks_for_json(&["harness", "list", "--format", "table", "json"]));
        assert!(!asks_for_json(&["harness", "x", "--", "--format=json"]));
    }
}
