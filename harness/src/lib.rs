//! The harness as a library, so that its parts can be tested and the binary stays a doorway. A command's outcome is an
//! `Exit`; only `main` turns that into a status of the process.

pub mod cli;
pub mod clock;
pub mod exit;
pub mod facilitator;
pub mod journal;
pub mod judge;
pub mod list;
pub mod run;
pub mod scenario;
pub mod serve;
pub mod setup;
pub mod traffic;
pub mod world;

use std::{
    panic,
    path::{Path, PathBuf},
};

use clap::Parser;
use clock::SystemClock;
use thiserror::Error;

use cli::{Cli, Command, Format, GuardArgs, ScenarioArgs, ServeArgs};
use exit::Exit;
use run::{RunDir, RunDirError, RunError, Tools};
use scenario::{Library, LibraryError, limits::MAX_SEED};

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
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    RunDir(#[from] RunDirError),
    #[error("the harness's runtime could not be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Guard(#[from] world::guard::GuardProcessError),
    #[error("the report could not be written as JSON")]
    Json(#[source] serde_json::Error),
    #[error("the harness panicked; the message above says where")]
    Panicked,
}

impl CommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::Library(_) => Exit::BadScenario,
            Self::Run(error) => error.exit(),
            Self::RunDir(_) | Self::Runtime(_) | Self::Guard(_) | Self::Json(_) | Self::Panicked => Exit::Internal,
        }
    }
}

fn run(command: &Command) -> Result<Exit, CommandError> {
    match command {
        Command::List(args) => {
            anstream::print!("{}", list::render(args.what(), &Library::find())?);
            Ok(Exit::Pass)
        }
        Command::Scenario(args) => scenario(args),
        Command::Serve(args) => serve(args),
        Command::Guard(args) => guard(args),
        Command::Doctor | Command::Setup => Ok(Exit::Internal),
    }
}

fn scenario(args: &ScenarioArgs) -> Result<Exit, CommandError> {
    let scenario = Library::find().load(&args.scenario)?;
    let seed = args.seed.or(scenario.seed()).unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let tools = tools()?;
    let run_dir = make_run_dir(args.run_dir.as_deref(), scenario.id().as_str())?;
    let say = |what: &str| anstream::eprintln!("{what}");
    let report = runtime()?.block_on(run::live(&scenario, seed, &tools, &run_dir, &say))?;
    match args.format {
        Format::Table => anstream::print!("{}", reports::terminal::render(&report)),
        Format::Json => anstream::println!("{}", reports::json::render(&report).map_err(CommandError::Json)?),
    }
    Ok(Exit::of_report(&report))
}

fn serve(args: &ServeArgs) -> Result<Exit, CommandError> {
    let scenario = Library::find().load(&args.world)?;
    let tools = tools()?;
    let run_dir = make_run_dir(None, "serve")?;
    runtime()?.block_on(serve::serve(&scenario, &tools, &run_dir, args.port, &args.facilitator_urls))?;
    Ok(Exit::Pass)
}

fn guard(args: &GuardArgs) -> Result<Exit, CommandError> {
    let command = args.command.iter().map(Into::into).collect();
    runtime()?.block_on(world::guard::run(command))?;
    Ok(Exit::Pass)
}

fn tools() -> Result<Tools, CommandError> {
    let var = |name: &str| PathBuf::from(std::env::var(name).expect("set for now"));
    Ok(Tools {
        node: var("HARNESS_NODE"),
        wrangler_js: var("HARNESS_WRANGLER"),
        bundle_index_js: workspace_root().join("dispatcher/worker/build/index.js"),
        wrangler_jsonc: workspace_root().join("dispatcher/worker/wrangler.jsonc"),
    })
}

/// The harness builds the dispatcher from source, so it works from its own workspace only.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness is a member of its workspace").to_owned()
}

fn make_run_dir(given: Option<&Path>, name: &str) -> Result<RunDir, CommandError> {
    Ok(RunDir::make(given, &workspace_root(), name, SystemClock::new().unix_ms())?)
}

fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)
}
