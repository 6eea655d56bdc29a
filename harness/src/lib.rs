//! The harness as a library, so that its parts can be tested and the binary stays a doorway. A command's outcome is an
//! `Exit`; only `main` turns that into a status of the process.

pub mod cli;
pub mod clock;
pub mod exit;
pub mod facilitator;
pub mod judge;
pub mod list;
pub mod scenario;
pub mod setup;
pub mod world;

use std::panic;

use clap::Parser;
use thiserror::Error;

use cli::{Cli, Command, ScenarioArgs};
use exit::Exit;
use scenario::{Library, LibraryError};

/// Parses the command line and does what it says. Errors go to stderr, in a form for people; so does a panic, which is
/// a bug of the harness and must not end with a status that says something of the dispatcher.
pub fn main() -> Exit {
    let cli = Cli::parse();
    let outcome = panic::catch_unwind(|| run(&cli.command)).unwrap_or(Err(CommandError::Panicked));
    outcome.unwrap_or_else(|error| {
        let exit = error.exit();
        anstream::eprintln!("{:?}", miette::Report::new(error));
        exit
    })
}

/// Why a command could not do its work.
#[derive(Debug, Error, miette::Diagnostic)]
enum CommandError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Library(#[from] LibraryError),
    #[error("this build cannot do that yet")]
    NotBuiltIn,
    #[error("the harness panicked; the message above says where")]
    Panicked,
}

impl CommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::Library(_) => Exit::BadScenario,
            Self::NotBuiltIn | Self::Panicked => Exit::Internal,
        }
    }
}

fn run(command: &Command) -> Result<Exit, CommandError> {
    match command {
        Command::List(args) => {
            anstream::print!("{}", list::render(args.what(), &Library::find())?);
            Ok(Exit::Pass)
        }
        Command::Scenario(args) => run_scenario(args),
        Command::Doctor | Command::Setup | Command::Serve(_) | Command::Guard(_) => Err(CommandError::NotBuiltIn),
    }
}

fn run_scenario(args: &ScenarioArgs) -> Result<Exit, CommandError> {
    let _scenario = Library::find().load(&args.scenario)?;
    Err(CommandError::NotBuiltIn)
}
