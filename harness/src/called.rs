//! The harness's own name, as it was called: a hint that is pasted must work where it is printed.

use std::{env, ffi::OsString};

/// The variable in which cargo names the package of a program that it runs.
const CARGO_PACKAGE: &str = "CARGO_PKG_NAME";

/// The words before a subcommand in a hint.
#[must_use]
pub fn as_called() -> String {
    name(env::args_os().next(), |name| env::var_os(name))
}

fn name(program: Option<OsString>, var: impl Fn(&str) -> Option<OsString>) -> String {
    if var(CARGO_PACKAGE).is_some_and(|package| package == env!("CARGO_PKG_NAME")) {
        return "cargo run -p harness --".to_owned();
    }
    let program = program.map(|program| program.to_string_lossy().into_owned()).filter(|program| !program.is_empty());
    let program = program.unwrap_or_else(|| "harness".to_owned());
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%".contains(letter);
    if program.chars().all(is_plain) { program } else { format!("'{}'", program.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_has_the_name_that_was_typed() {
        let called = |program: &str| name(Some(program.into()), |_| None);
        assert_eq!(called("harness"), "harness");
        assert_eq!(called("./target/debug/harness"), "./target/debug/harness");
        assert_eq!(called("/my tools/harness"), "'/my tools/harness'");
        assert_eq!(called(""), "harness");
        let by_cargo = name(Some("target/debug/harness".into()), |_| Some("harness".into()));
        assert_eq!(by_cargo, "cargo run -p harness --");
        let test_of_another = name(Some("harness".into()), |_| Some("other".into()));
        assert_eq!(test_of_another, "harness");
    }
}
