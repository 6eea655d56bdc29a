//! What is wrong with a scenario file, pointing at the place. Problems that do not hang on each other are shown together,
//! so that a file is repaired in one go; one that is not TOML of the right shape stops at its first.

use super::{limits::MAX_FILE_BYTES, nearest::nearest};
use miette::{Diagnostic, NamedSource, SourceSpan};
use std::ops::Range;
use thiserror::Error;

/// A scenario file that cannot be run.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} is not a valid scenario")]
pub struct InvalidScenario {
    file: String,
    #[source_code]
    text: NamedSource<String>,
    #[related]
    problems: Vec<Problem>,
}

impl InvalidScenario {
    pub fn new(file: &str, text: &str, problems: Vec<Problem>) -> Self {
        let text = NamedSource::new(file, text.to_owned()).with_language("toml");
        Self { file: file.to_owned(), text, problems }
    }

    /// Shows none of the text: there is too much of it.
    pub fn too_big(file: &str, bytes: u64) -> Self {
        let what = format!("the file has {bytes} bytes, the limit is {MAX_FILE_BYTES}");
        let problem = Problem::new(0..0, what, "this file").help("a scenario is a page or two of TOML");
        Self::new(file, "", vec![problem])
    }

    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// One thing that is wrong, at one place.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct Problem {
    message: String,
    label: String,
    #[label("{label}")]
    at: SourceSpan,
    #[help]
    help: Option<String>,
}

impl Problem {
    pub fn new(at: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { message: message.into(), label: label.into(), at: at.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A name that nothing carries. `alternatives` are those that something does.
    pub fn unknown(at: Range<usize>, kind: &str, wanted: &str, alternatives: &[&str]) -> Self {
        let help = match nearest(wanted, alternatives) {
            Some(near) => format!("did you mean `{near}`? There is: {}", alternatives.join(", ")),
            None if alternatives.is_empty() => "there is none at all".to_owned(),
            None => format!("there is: {}", alternatives.join(", ")),
        };
        Self::new(at, format!("there is no {kind} `{wanted}`"), format!("no such {kind}")).help(help)
    }
}

/// Problems found so far.
#[derive(Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
