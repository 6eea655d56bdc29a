//! The harness as a library, so that its parts can be tested and the binary stays a doorway. A command's outcome is an
//! `Exit`; only `main` turns that into a status of the process.

mod bar;
pub mod bench;
mod bounded_http;
pub mod cli;
pub mod clock;
mod commands;
pub mod conform;
pub mod conformance;
mod directory;
pub mod exit;
pub mod explain;
pub mod facilitator;
mod folders;
pub mod http_client;
pub mod incident;
pub mod interrupt;
pub mod journal;
pub mod judge;
pub mod known;
pub mod list;
mod location;
pub mod meta;
pub mod namespace;
pub mod new;
pub mod recording;
mod request_form;
mod retry_after;
pub mod rules;
pub mod run;
pub mod scenario;
pub mod selftest;
pub mod serve;
pub mod setup;
mod shop;
pub mod shrink;
pub mod sim;
pub mod swarm;
pub mod tier;
pub mod traffic;
pub mod world;

use clap::Parser;
use cli::Cli;
use commands::CommandError;
use exit::Exit;

/// Parses the command line and does what it says. Errors go to stderr, in a form for people; so does a panic, which is
/// a bug of the harness and must not end with a status that says something of the dispatcher.
pub fn main() -> Exit {
    let cli = Cli::parse();
    let outcome = std::panic::catch_unwind(|| commands::carry_out(&cli.command)).unwrap_or(Err(CommandError::Panicked));
    outcome.unwrap_or_else(|error| {
        let exit = error.exit();
        anstream::eprintln!("{:?}", miette::Report::new(error));
        exit
    })
}
