//! The forms that a report can take, by the names under which they are asked for.

use std::{fmt, str::FromStr};

use thiserror::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For a person, without colours.
    Terminal,
    /// All that a report says, by the schema that is kept beside this crate.
    Json,
    /// For a CI's list of tests.
    Junit,
    /// For a code host's list of findings, SARIF 2.1.0.
    Sarif,
    /// For a job's summary: the verdict first, below a mebibyte.
    Markdown,
    /// One page that explains the run, without anything from outside.
    Html,
    /// For a trace viewer: the run's calls and requests on one time axis.
    Trace,
}

impl Format {
    pub const ALL: [Self; 7] =
        [Self::Terminal, Self::Json, Self::Junit, Self::Sarif, Self::Markdown, Self::Html, Self::Trace];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no format `{0}`: terminal, json, junit, sarif, markdown, html or trace")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name_and_told_to_who_mistypes_it() {
        let told = "yaml".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
            assert!(told.contains(format.as_str()), "{told}");
        }
    }
}
