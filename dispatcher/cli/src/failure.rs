//! A command's failure, for the person who typed it: what, where, and the way out.

use crate::{exit::Exit, output::lines};
use miette::Diagnostic;
use serde_json::{Value, json};
use std::{fmt, io, path::Path};

#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    what: String,
    help: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        // Somebody else's words may be in it.
        Self { exit, what: lines(&what.into()), help: None }
    }

    pub fn invalid(what: impl Into<String>) -> Self {
        Self::new(Exit::Invalid, what)
    }

    /// With the way out.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(lines(&help.into())), ..self }
    }

    /// A file that cannot be read or written.
    pub fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let help = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "the disk is full; what was there before is as it was"
            }
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "check whose file it is",
            _ => "try again",
        };
        Self::new(Exit::Failed, format!("{doing} {}: {error}", path.display())).help(help)
    }

    /// The failure as `--format json` prints it.
    pub fn json(&self) -> Value {
        json!({"error": {"exit": self.exit as u8, "message": self.what, "help": self.help}})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}
