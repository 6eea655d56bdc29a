//! Errors as they are told: in a form for people on standard error, or as JSON on standard output, where whoever asked for
//! `--format json` reads.

use crate::{
    cli::asks_for_json,
    commands::{CommandError, chain},
    exit::Exit,
    run::RunError,
};
use miette::{Diagnostic, JSONReportHandler, MietteDiagnostic};
use serde_json::{Value, json};
use system::output::{errln, outln};

/// Version of an error's JSON. Raised when a field changes its meaning or goes away.
const ERROR_SCHEMA: u32 = 1;

/// To whom errors are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    People,
    Programs,
}

impl Audience {
    /// By the command line, as much of it as can be read.
    pub fn of_args() -> Self {
        let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
        if asks_for_json(&args) { Self::Programs } else { Self::People }
    }

    /// Tells of an error, and gives what it ends with.
    pub fn hears(self, error: CommandError) -> Exit {
        let exit = error.exit();
        // A full disk needs no explanation. A part that died quotes its log, whose path is to be copied and lines to be read:
        // neither may be folded.
        let is_plain = exit == Exit::NotWritten || matches!(error, CommandError::Run(RunError::Died(_)));
        match self {
            Self::Programs => outln!("{}", as_json(&error, exit)),
            Self::People if is_plain => errln!("harness: {}", chain(&error)),
            Self::People => errln!("{:?}", miette::Report::new(error)),
        }
        exit
    }

    /// Tells of an error of a program that is not the harness.
    pub fn hears_of(self, error: MietteDiagnostic, exit: Exit) {
        match self {
            Self::Programs => outln!("{}", as_json(&error, exit)),
            Self::People => errln!("{:?}", miette::Report::new(error)),
        }
    }

    /// Tells of a command line that cannot be read, or of what it asked to be told. Returns a failure to say so.
    pub fn hears_of_usage(self, told: &clap::Error) -> Option<std::io::Error> {
        if self == Self::People || !told.use_stderr() {
            return told.print().err();
        }
        let text = told.render().to_string();
        outln!("{}", wrapped(json!({ "message": text.trim_end(), "severity": "error", "causes": [] }), Exit::Usage));
        None
    }
}

/// An error with its causes, its way out and the places that it points at.
fn as_json(error: &dyn Diagnostic, exit: Exit) -> Value {
    let mut text = String::new();
    let rendered = JSONReportHandler::new().render_report(&mut text, error);
    let parsed = rendered.ok().and_then(|()| serde_json::from_str(&text).ok());
    wrapped(parsed.unwrap_or_else(|| json!({ "message": chain(error), "severity": "error", "causes": [] })), exit)
}

fn wrapped(error: Value, exit: Exit) -> Value {
    json!({ "schema": ERROR_SCHEMA, "error": error, "exit_code": exit.code() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::Library;

    #[test]
    fn an_error_is_json_with_its_way_out_and_its_exit_code() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let error = CommandError::Library(library.load("outtage").expect_err("it is mistyped"));
        let exit = error.exit();
        let told = as_json(&error, exit);
        assert_eq!((&told["schema"], &told["exit_code"]), (&json!(1), &json!(14)));
        assert_eq!(told["error"]["message"], "there is no scenario `outtage`");
        assert!(told["error"]["help"].as_str().is_some_and(|help| help.contains("did you mean `outage`?")), "{told}");
    }

    #[test]
    fn an_error_points_at_the_line_that_is_wrong() {
        let wrong = scenario::Scenario::parse("x.toml", "id = \"x\"\nnonsense = 1\n").expect_err("it is wrong");
        let told = as_json(&CommandError::Library(wrong.into()), Exit::BadScenario);
        let related = told["error"]["related"].as_array().expect("the problems");
        assert!(related.iter().any(|problem| problem["labels"][0]["span"]["offset"].is_u64()), "{told}");
    }
}
