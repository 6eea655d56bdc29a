//! What each subcommand does, one file each. They load, ask for what they need, call the part of the harness that does it,
//! and print: what takes thought is elsewhere.

mod bench;
mod check;
mod clean;
mod compare;
mod conform;
mod conformance;
mod drill;
mod engine;
mod fault;
mod gate;
mod incident;
mod install;
mod meta;
mod namespace;
mod pay;
pub mod preparation;
mod replay;
mod report;
pub mod sandbox;
mod scenario;
mod schema;
mod selftest;
mod serve;
mod setup;
mod shrink;
mod supervisor;
mod swarm;
mod tiers;

use crate::{
    acceptance::known_failures::KnownError,
    bench::BenchError,
    called::as_called,
    catalogue::{
        list,
        new_scenario::{self, NewError},
        rules::{self, UnknownRule},
    },
    cli::{Command, FormatArgs, ReportArgs, ReportNotWritten},
    comparison::ConformanceError,
    exit::Exit,
    explain,
    gate::GateError,
    incident::IncidentError,
    pay::BuyError,
    play::RunDirError,
    probe::ConformError,
    recording::{self, RecordingError},
    run::RunError,
    selftest::SelftestError,
    serve::{OptionsError, OwnError, control::ControlError},
    setup::SetupError,
    shrink::ShrinkError,
    swarm::{MergeError, SwarmError},
};
use ::scenario::{Library, LibraryError};
use reports::{Run, report::Report};
use sandbox::SandboxError;
use serde::Serialize;
use serde_json::json;
use std::{
    error::Error,
    path::{Path, PathBuf},
};
use supervisor::NamespaceError;
use system::output::{self, out};
use thiserror::Error;

pub fn carry_out(command: &Command) -> Result<Exit, CommandError> {
    match command {
        Command::List(args) => {
            let listed = list::entries(args.what(), &Library::find())?;
            passed(args.print, &listed, || list::render(&listed))
        }
        Command::Check(args) => check::check(args),
        Command::Report(args) => report::report(args),
        Command::Compare(args) => compare::compare(args),
        Command::Export(args) => {
            let packed = recording::export(&args.run, args.output.as_deref())?;
            let file = packed.display();
            passed(args.print, &json!({"file": packed}), || {
                format!("wrote  {file}\nreplay {} replay {file}\n", as_called())
            })
        }
        Command::Replay(args) => replay::replay(args),
        Command::Rules(args) => {
            let rules = rules::of(args.rule.as_deref())?;
            passed(args.print, &rules::as_json(&rules), || rules::render(&rules))
        }
        Command::Scenario(args) => scenario::scenario(args),
        Command::Tiers(args) => tiers::tiers(args),
        Command::Explain(args) => {
            let scenario = Library::find().load(&args.scenario)?;
            let told = explain::render(&scenario);
            passed(args.print, &explain::as_json(&scenario, &told), || told.clone())
        }
        Command::New(args) => {
            let path = new_scenario::start(&args.scenario, args.output.as_deref())?;
            let run = format!("{} scenario {}", as_called(), asked_for(&path, &args.scenario));
            let told = json!({"file": path, "run": run});
            passed(args.print, &told, || format!("wrote {}\nrun   {run}\n", path.display()))
        }
        Command::Swarm(args) => swarm::swarm(args),
        Command::Merge(args) => swarm::merge(args),
        Command::Shrink(args) => shrink::shrink(args),
        Command::Incident(args) => incident::incident(args),
        Command::Drill(args) => drill::drill(args),
        Command::Meta(args) => meta::meta(args),
        Command::Schema(args) => schema::schema(args),
        Command::Serve(args) => serve::serve(args),
        Command::Clean(args) => clean::clean(args),
        Command::Gate(args) => gate::gate(args),
        Command::Pay(args) => pay::pay(args),
        Command::Fault(args) => fault::fault(args),
        Command::Bench(args) => bench::bench(args),
        Command::Namespace(args) => namespace::namespace(args),
        Command::Supervise(args) => Ok(preparation::runtime()?.block_on(supervisor::supervise(args))?),
        Command::Conform(args) => conform::conform(args),
        Command::Conformance(args) => conformance::conformance_table(args),
        Command::Selftest(args) => selftest::selftest(args),
        Command::Install(args) => install::install(args),
        Command::Completions(args) => install::completions(args),
        Command::Man(args) => install::man(args),
        Command::Doctor(print) => setup::doctor(*print),
        Command::Setup(print) => setup::set_up(*print),
    }
}

/// Prints for whom it is meant: all of it as JSON, or in words.
fn show(print: FormatArgs, told: &impl Serialize, in_words: impl FnOnce() -> String) -> Result<(), CommandError> {
    if print.is_json() {
        out!("{}", reports::json::render(told).map_err(CommandError::Json)?);
    } else {
        words(&in_words());
    }
    Ok(())
}

/// Prints text for people, as wide as their terminal.
fn words(text: &str) {
    match output::columns() {
        Some(columns) => out!("{}", reports::fold::fold(text, columns)),
        None => out!("{text}"),
    }
}

/// As `show`, of a command that judges nothing.
fn passed(print: FormatArgs, told: &impl Serialize, in_words: impl FnOnce() -> String) -> Result<Exit, CommandError> {
    show(print, told, in_words).map(|()| Exit::Pass)
}

/// Writes the reports of a judgement that has no run of its own behind it.
fn write_judged(files: &ReportArgs, report: impl FnOnce() -> Report) -> Result<(), CommandError> {
    if files.is_empty() {
        return Ok(());
    }
    let report = report();
    Ok(files.write(&[Run::without_events(&report)])?)
}

/// The name under which a scenario's file is asked for: its own in the library, else its path.
fn asked_for(path: &Path, name: &str) -> String {
    let is_listed = Library::find().file(name).is_some_and(|file| file.canonicalize().ok() == path.canonicalize().ok());
    if is_listed { name.to_owned() } else { path.display().to_string() }
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

/// Why a command could not do its work.
#[derive(Debug, Error, miette::Diagnostic)]
pub enum CommandError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Bench(#[from] BenchError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Conform(#[from] ConformError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Conformance(#[from] ConformanceError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gate(#[from] GateError),
    #[error("{path} cannot be used")]
    Document { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Known(#[from] KnownError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Library(#[from] LibraryError),
    #[error("{scenario} is simulated only")]
    #[diagnostic(help("run it with `--tier sim`"))]
    OtherTier { scenario: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Serve(#[from] OptionsError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Drill(#[from] drill::DrillError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Own(#[from] OwnError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Buy(#[from] BuyError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    RunDir(#[from] RunDirError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Namespace(#[from] NamespaceError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rule(#[from] UnknownRule),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Swarm(#[from] SwarmError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Incident(#[from] IncidentError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Merge(#[from] MergeError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shrink(#[from] ShrinkError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Selftest(#[from] SelftestError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Report(#[from] ReportNotWritten),
    #[error("the harness's runtime could not be started")]
    Runtime(#[source] std::io::Error),
    #[error("the report could not be written as JSON")]
    Json(#[source] serde_json::Error),
    #[error("interrupted")]
    Interrupted,
    #[error("the harness panicked; the message above says where")]
    Panicked,
}

impl CommandError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Library(LibraryError::UnknownTag { .. })
            | Self::OtherTier { .. }
            | Self::Serve(
                OptionsError::TwoOfOneName(_)
                | OptionsError::TooMany(_)
                | OptionsError::TooManyPorts { .. }
                | OptionsError::Fault(_),
            )
            | Self::New(NewError::Name(_) | NewError::Taken(_)) => Exit::Usage,
            Self::Drill(_) | Self::Own(_) | Self::Buy(BuyError::NoUrl(_)) | Self::Control(ControlError::Refused(_)) => {
                Exit::Usage
            }
            Self::Buy(BuyError::Silent { .. }) | Self::Control(_) => Exit::DidNotStart,
            Self::Buy(BuyError::NoOffer { .. }) => Exit::NothingRan,
            Self::Buy(_) => Exit::Internal,
            Self::Serve(OptionsError::Taken { .. }) => Exit::DidNotStart,
            Self::Library(LibraryError::NothingSelected) => Exit::NothingRan,
            Self::Library(_) | Self::Known(_) => Exit::BadScenario,
            Self::Recording(error) => error.exit(),
            Self::Run(error) => error.exit(),
            Self::Bench(error) => error.exit(),
            Self::Gate(error) => error.exit(),
            Self::Namespace(error) => error.exit(),
            Self::Conform(error) => error.exit(),
            Self::Conformance(error) => error.exit(),
            Self::Interrupted | Self::Setup(SetupError::Interrupted { .. }) => Exit::Interrupted,
            Self::Setup(_) | Self::Sandbox(_) => Exit::DidNotStart,
            Self::Selftest(error) => error.exit(),
            Self::RunDir(error) => error.exit(),
            Self::Rule(_) => Exit::Usage,
            Self::Merge(_) | Self::Incident(_) => Exit::Usage,
            Self::Shrink(error) => error.exit(),
            Self::Swarm(SwarmError::RunDir(error)) => error.exit(),
            Self::New(NewError::Unwritable { .. })
            | Self::Swarm(SwarmError::Keep { .. })
            | Self::Document { .. }
            | Self::Report(_) => Exit::NotWritten,
            Self::Swarm(_) | Self::Runtime(_) | Self::Json(_) | Self::Panicked => Exit::Internal,
        }
    }
}
