//! Why a bug cannot be planted where its file says.

use std::fmt;
use thiserror::Error;

/// A bug that does not fit the sources. Most often the code was changed, and the bug's file was not.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("the bug `{bug}` does not fit {file}: {why}")]
pub struct Misfit {
    pub bug: String,
    pub file: String,
    pub why: Why,
}

/// A fault of a bug's place.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Why {
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    #[error("no self-test runs this file, only those below {0}")]
    NotRun(String),
    #[error("only the live tier runs this file")]
    NotSimulated,
    #[error("only the simulated tier runs this file")]
    NotLive,
    #[error("its `right` is empty")]
    Empty,
    #[error("its `right` and its `wrong` are the same")]
    Same,
    #[error("its `right` is not found: {right}")]
    Missing { right: String },
    #[error("its `right` is found more than once, in the lines {}", Lines(.lines))]
    Ambiguous { lines: Vec<usize> },
    #[error("two of its edits overlap in line {line}")]
    Overlapping { line: usize },
    #[error("line {line} is in no function's body. {hint}", hint = HINT)]
    OutsideFunctions { line: usize },
    #[error("line {line} belongs to a macro, and its body is no function")]
    InMacro { line: usize },
    #[error("line {line} is compiled for tests alone")]
    InTests { line: usize },
    #[error("the function `{function}` is `const`: the compiler evaluates it too, before a bug is chosen")]
    ConstFunction { function: String },
    #[error(
        "the function `{function}` returns `impl`, which is one type: a bug fits into its closures and async blocks alone"
    )]
    HiddenType { function: String },
    #[error("the constant `{constant}` is used in line {line} of {file} as well, where the compiler needs it. {hint}", hint = HINT)]
    ConstantUsedElsewhere { constant: String, file: String, line: usize },
    #[error("the constant `{constant}` belongs to a trait, which can have no other beside it. {hint}", hint = HINT)]
    ConstantOfTrait { constant: String },
    #[error("there is more than one constant `{constant}`. {hint}", hint = HINT)]
    ConstantTwice { constant: String },
    #[error("the file is no Rust: {0}")]
    NotRust(String),
    #[error("it has no function `{function}` any more, in which the Worker learns which bug bites")]
    NoStart { function: &'static str },
    #[error("with it `{function}` is no Rust any more: {error}")]
    Broken { function: String, error: String },
}

const HINT: &str = "Let the edits say what the functions do that use it";

struct Lines<'a>(&'a [usize]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&lines.join(" and "))
    }
}
