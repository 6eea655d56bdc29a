//! Why a scenario of the library cannot be had.

use grammar::InvalidScenario;
use miette::Diagnostic;
use std::{io, path::PathBuf};
use thiserror::Error;

#[derive(Debug, Error, Diagnostic)]
pub enum LibraryError {
    #[error("cannot read the scenarios in {}", path.display())]
    #[diagnostic(help("run inside a checkout of the project"))]
    NoLibrary { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("there is no scenario `{name}`")]
    Unknown {
        name: String,
        #[help]
        help: String,
    },
    #[error("no scenario has the tag `{tag}`")]
    UnknownTag {
        tag: String,
        #[help]
        help: String,
    },
    #[error("no scenario is in that profile and has that tag")]
    #[diagnostic(help(
        "`harness list` takes the same options; without --profile, or with a later one, there may be some"
    ))]
    NothingSelected,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] InvalidScenario),
}
