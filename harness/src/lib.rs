//! The harness as a library, so that its parts can be tested and the binary stays a doorway. A command's outcome is an
//! `Exit`; only `main` turns that into a status of the process.

pub mod acceptance;
pub mod audience;
pub mod bench;
mod called;
pub mod catalogue;
pub mod cli;
pub mod commands;
pub mod compare;
pub mod comparison;
mod directory;
pub mod drill;
pub mod exit;
pub mod explain;
pub mod gate;
mod http;
pub mod incident;
pub mod live;
pub mod pay;
mod planting;
pub mod play;
pub mod probe;
pub mod recording;
pub mod run;
pub mod selftest;
pub mod serve;
pub mod setup;
pub mod shrink;
pub mod sim;
pub mod swarm;
pub mod world;

use audience::Audience;
use clap::Parser;
use cli::Cli;
use commands::{
    CommandError,
    sandbox::{SandboxArgs, sandbox},
};
use exit::Exit;
use std::io;
use system::{
    diagnosis::{self, Form},
    folders,
    output::{self, errln},
};

/// Parses the command line and does what it says. Errors go to stderr, in a form for people, unless JSON is asked for; so does
/// a panic, which is a bug of the harness and must not end with a status that says something of the dispatcher.
pub fn main() -> Exit {
    let audience = Audience::of_args();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let exit = if told.use_stderr() { Exit::Usage } else { Exit::Pass };
            return heard(audience.hears_of_usage(&told), exit);
        }
    };
    diagnosis::begin(cli.verbose, if cli.log_json { Form::Json } else { Form::Lines });
    if let Some(runs) = &cli.runs_dir {
        folders::keep_runs_in(runs);
    }
    run::keep_at_most(cli.keep_runs);
    if let Some(bundle) = &cli.bundle {
        folders::take_bundle_from(bundle);
    }
    let outcome = std::panic::catch_unwind(|| commands::carry_out(&cli.command)).unwrap_or(Err(CommandError::Panicked));
    heard(None, outcome.unwrap_or_else(|error| audience.hears(error)))
}

/// Does what the command line of `402claw-dev` says. The namespace's supervisor and its guard are started as the program that runs,
/// so this is all of the harness, too.
pub fn dev_main() -> Exit {
    if std::env::args_os().nth(1).is_some_and(|word| word == namespace::SUBCOMMAND) {
        return main();
    }
    let args = match SandboxArgs::try_parse() {
        Ok(args) => args,
        Err(told) => return heard(told.print().err(), if told.use_stderr() { Exit::Usage } else { Exit::Pass }),
    };
    let outcome = std::panic::catch_unwind(|| sandbox(&args)).unwrap_or(Err(CommandError::Panicked));
    heard(None, outcome.unwrap_or_else(|error| Audience::People.hears(error)))
}

/// Returns the exit code once everything is said. A report that nobody got is no pass.
fn heard(failed: Option<io::Error>, exit: Exit) -> Exit {
    failed.into_iter().for_each(output::note);
    let Some(error) = output::failed() else { return exit };
    errln!("harness: standard output cannot be written: {error}");
    if exit == Exit::Pass { Exit::NotWritten } else { exit }
}
