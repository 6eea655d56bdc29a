//! The command line of the load tests, and what each command does.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use gate::{BudgetError, Budgets};
use harness::{
    audience::Audience,
    bench::load::LoadError,
    cli::{FormatArgs, ReportArgs, ReportNotWritten},
    commands::{CommandError, preparation},
    exit::Exit,
    play::{RunDir, RunDirError},
};
use miette::Diagnostic;
use reports::Run;
use serde::Serialize;
use system::{
    clock::SystemClock,
    folders::{self, workspace_root},
    guard::Guard,
    interrupt::interrupted,
    output,
};

use crate::{
    budgets::{self, MeasureError, Measured},
    extent::{Extent, Parts},
    journeys::{Journeys, is_loopback},
    peers,
    planted::{Fault, PlantError, plant},
    report::LoadReport,
    selftest::{SelftestError, Suite},
    server::{Kind, Tools},
    soak,
};

/// A file system in memory, where Linux has one: a disk's `fsync` is no Worker's cost.
const MEMORY: &str = "/dev/shm";

/// Loads the dispatcher beside a Worker that only dispatches, and holds what it costs to budgets
#[derive(Debug, Parser)]
#[command(name = "loadtests", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    print: FormatArgs,
    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the dispatcher beside a bare Worker, in turns, and hold it to loadtests/budgets.toml
    Budgets(BudgetsArgs),
    /// Keep a steady load up, and see that memory does not grow
    Soak(SoakArgs),
    /// Plant faults in the dispatcher, and see that the budgets refuse each
    Selftest(SelftestArgs),
    /// Measure a bare Worker, the dispatcher and the official library's Worker, in turns, as a table
    Peers(BundleArgs),
    /// Let users of several kinds loose on the live tier, or on a server that is there, with goose
    Journeys(JourneysArgs),
}

/// Whose dispatcher is loaded.
#[derive(Debug, Args)]
struct BundleArgs {
    /// Folder of a built bundle (index.js, index_bg.wasm); the one of this checkout, built if need be, unless given
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Other budgets than loadtests/budgets.toml
    #[arg(long, value_name = "FILE")]
    budgets: Option<PathBuf>,
    /// Measure less: for trying things out
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Args)]
struct BudgetsArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Plant a fault first: a way to see the budgets refuse
    #[arg(long, value_enum, value_name = "FAULT")]
    plant: Option<Fault>,
    /// The parameter of the fault: steps of work a request for `slower`, bytes for `leaks`
    #[arg(long, value_name = "N", requires = "plant", default_value_t = 30_000)]
    amount: u64,
}

#[derive(Debug, Args)]
struct SoakArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// How long, such as 90s or 60m
    #[arg(long = "for", value_name = "TIME", default_value = "60m", value_parser = duration)]
    lasts: Duration,
}

#[derive(Debug, Args)]
struct SelftestArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// Plant this fault only; given more than once, these
    #[arg(long = "fault", value_enum, value_name = "FAULT")]
    faults: Vec<Fault>,
    /// How often to measure the dispatcher as it ships beside a busy loop, too
    #[arg(long, value_name = "N", default_value_t = 0)]
    busy: usize,
}

#[derive(Debug, Args)]
struct JourneysArgs {
    #[command(flatten)]
    bundle: BundleArgs,
    /// A server that is there already, such as one of `harness serve`, in place of a world of its own
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Attack a server that is not on this machine, without buying there
    #[arg(long, requires = "url")]
    allow_remote: bool,
    /// How many users there are
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    users: u64,
    /// How long they stay, such as 90s or 5m
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = duration)]
    lasts: Duration,
    /// The file in which the build with goose leaves its report for the one that asked for it
    #[arg(long, value_name = "FILE", hide = true)]
    out: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LoadTestError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Command(Box<CommandError>),
    #[error("reading {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Budgets(#[from] BudgetError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Plant(#[from] PlantError),
    /// It has said why.
    #[error("the build with goose in it ended: {}", .0.meaning())]
    Ended(Exit),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    #[error("{0} is not on this machine")]
    #[diagnostic(help("attacks go elsewhere with --allow-remote alone"))]
    Remote(String),
    #[cfg(feature = "journeys")]
    #[error(transparent)]
    Journeys(#[from] crate::journeys::JourneyError),
    #[error("the report could not be written as JSON")]
    Json(#[source] serde_json::Error),
    #[error(transparent)]
    Report(#[from] ReportNotWritten),
}

impl From<CommandError> for LoadTestError {
    fn from(error: CommandError) -> Self {
        Self::Command(Box::new(error))
    }
}

impl From<SelftestError> for LoadTestError {
    fn from(error: SelftestError) -> Self {
        match error {
            SelftestError::Measure(error) => error.into(),
            SelftestError::Plant(error) => error.into(),
        }
    }
}

impl LoadTestError {
    fn exit(&self) -> Exit {
        match self {
            Self::Command(error) => error.exit(),
            Self::Ended(exit) => *exit,
            Self::RunDir(error) => error.exit(),
            Self::Read { .. } | Self::Budgets(_) | Self::Plant(_) | Self::Remote(_) => Exit::Usage,
            #[cfg(feature = "journeys")]
            Self::Journeys(_) => Exit::DidNotStart,
            Self::Measure(MeasureError::Server(_) | MeasureError::Gone(_)) => Exit::DidNotStart,
            Self::Report(_) => Exit::NotWritten,
            Self::Measure(_) | Self::Load(_) | Self::Json(_) => Exit::Internal,
        }
    }
}

/// Parses the command line and does what it says.
pub fn main() -> Exit {
    let audience = Audience::of_args();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let exit = if told.use_stderr() { Exit::Usage } else { Exit::Pass };
            return if audience.hears_of_usage(&told).is_none() { exit } else { Exit::NotWritten };
        }
    };
    let exit = carry_out(&cli).unwrap_or_else(|error| {
        let exit = error.exit();
        audience.hears_of(error_line(&error), exit);
        exit
    });
    // A report that nobody got is no pass.
    let Some(error) = output::failed() else { return exit };
    say(&format!("loadtests: standard output cannot be written: {error}"));
    if exit == Exit::Pass { Exit::NotWritten } else { exit }
}

/// An error and its causes in one line.
fn error_line(error: &LoadTestError) -> miette::MietteDiagnostic {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    let told = miette::MietteDiagnostic::new(line);
    match error.help() {
        Some(help) => told.with_help(help.to_string()),
        None => told,
    }
}

fn say(line: &str) {
    output::print_to_stderr(format_args!("{line}\n"));
}

fn duration(text: &str) -> Result<Duration, String> {
    scenario::duration(text).ok_or_else(|| "a whole number of ms, s or m, such as 90s or 60m".to_owned())
}

fn carry_out(cli: &Cli) -> Result<Exit, LoadTestError> {
    let report = match &cli.command {
        Command::Budgets(args) => loaded(&args.bundle, |given| measured(args, given)),
        Command::Soak(args) => loaded(&args.bundle, |given| soaked(args, given)),
        Command::Selftest(args) => loaded(&args.bundle, |given| selftested(args, given)),
        Command::Journeys(args) => journeys(args),
        Command::Peers(args) => return peers(args, cli),
    }?;
    let judged = report.report();
    cli.report.write(&[Run::without_events(&judged)])?;
    show(cli.print, &report, || report.table())?;
    Ok(report.exit())
}

/// Prints for whom it is meant.
fn show(print: FormatArgs, told: &impl Serialize, in_words: impl FnOnce() -> String) -> Result<(), LoadTestError> {
    let text = if print.is_json() { reports::json::render(told).map_err(LoadTestError::Json)? } else { in_words() };
    output::print(format_args!("{text}"));
    Ok(())
}

/// One server is as old as the other only where all are started anew.
fn peers(args: &BundleArgs, cli: &Cli) -> Result<Exit, LoadTestError> {
    let report = loaded(args, |given| {
        let Given { runtime, tools, bundle, extent, dir, .. } = given;
        let (_, _, reference) = runtime.block_on(preparation::provide_reference())?;
        let kinds = [
            (Kind::Bare, "bare dispatch Worker".to_owned()),
            (Kind::Dispatcher(bundle.clone()), "402claw".to_owned()),
            (Kind::Reference(reference.module), reference.library),
        ];
        given.until_interrupted(peers::run(tools, &kinds, *extent, dir, &say))
    })?;
    let judged = report.report();
    cli.report.write(&[Run::without_events(&judged)])?;
    show(cli.print, &report, || report.markdown())?;
    Ok(if report.is_sound() { Exit::Pass } else { Exit::Unknown })
}

/// In a build that has goose in it.
#[cfg(feature = "journeys")]
fn journeys(args: &JourneysArgs) -> Result<LoadReport, LoadTestError> {
    let asked = asked(args)?;
    let report = loaded(&args.bundle, |given| {
        let Given { full, budgets, dir, .. } = given;
        Ok(given.runtime.block_on(crate::journeys::run(&asked, full, budgets, dir, &say))?)
    })?;
    if let Some(out) = &args.out {
        let json = reports::json::render(&report).map_err(LoadTestError::Json)?;
        fs::write(out, json).map_err(|source| LoadTestError::Read { path: out.clone(), source })?;
    }
    Ok(report)
}

/// Makes that build, and has it leave its report in a file: goose prints to standard output whatever it is told.
#[cfg(not(feature = "journeys"))]
fn journeys(args: &JourneysArgs) -> Result<LoadReport, LoadTestError> {
    asked(args)?;
    let runtime = preparation::runtime()?;
    let program = runtime.block_on(preparation::setting_up(harness::setup::build_journeys))?;
    let out = std::env::temp_dir().join(format!("402claw-journeys-{}.json", std::process::id()));
    let status = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--out")
        .arg(&out)
        .stdout(std::io::stderr())
        .status();
    let failed = |source| LoadTestError::Read { path: out.clone(), source };
    let status = status.map_err(failed)?;
    let text = fs::read_to_string(&out);
    let _left = fs::remove_file(&out);
    match text {
        Ok(text) => serde_json::from_str(&text).map_err(LoadTestError::Json),
        Err(_) => Err(LoadTestError::Ended(Exit::of_status(status))),
    }
}

fn asked(args: &JourneysArgs) -> Result<Journeys, LoadTestError> {
    let JourneysArgs { url, allow_remote, users, lasts, .. } = args;
    if let Some(url) = url.as_ref().filter(|url| !(*allow_remote || is_loopback(url))) {
        return Err(LoadTestError::Remote(url.clone()));
    }
    Ok(Journeys { url: url.clone(), allow_remote: *allow_remote, users: *users as usize, lasts: *lasts })
}

/// The options of every command.
struct Given {
    runtime: tokio::runtime::Runtime,
    tools: Tools,
    /// The options of the live tier.
    #[cfg_attr(not(feature = "journeys"), expect(dead_code, reason = "only the journeys have such a world"))]
    full: harness::live::Tools,
    bundle: PathBuf,
    budgets: Budgets,
    extent: Extent,
    dir: PathBuf,
}

impl Given {
    fn until_interrupted<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, LoadTestError>
    where
        LoadTestError: From<E>,
    {
        self.runtime.block_on(async {
            tokio::select! {
                done = work => Ok(done?),
                () = interrupted() => Err(CommandError::Interrupted.into()),
            }
        })
    }
}

/// Sets up, makes a folder, lets `work` do its own, and removes the folder.
fn loaded<T>(args: &BundleArgs, work: impl FnOnce(&Given) -> Result<T, LoadTestError>) -> Result<T, LoadTestError> {
    let path = args.budgets.clone().unwrap_or_else(|| workspace_root().join("loadtests/budgets.toml"));
    let text = fs::read_to_string(&path).map_err(|source| LoadTestError::Read { path, source })?;
    let budgets = Budgets::parse(&text)?;
    let runtime = preparation::runtime()?;
    if let Some(bundle) = &args.bundle {
        folders::take_bundle_from(bundle);
    }
    let (full, built) = runtime.block_on(preparation::provide())?;
    let bundle = built.index_js;
    let (workerd, wrangler_jsonc) = (full.workerd.clone(), full.wrangler_jsonc.clone());
    let tools = Tools { guard: Guard::this_program(), workerd, wrangler_jsonc };
    let memory = Path::new(MEMORY);
    let parent = if memory.is_dir() { memory.to_owned() } else { folders::runs() };
    let folder = parent.join(format!("402claw-load-{}-{}", SystemClock::new().unix_ms(), std::process::id()));
    let run_dir = RunDir::make(Some(&folder), &parent, "load", 0)?;
    folders::is_temporary(run_dir.path());
    let extent = if args.quick { Extent::QUICK } else { Extent::GATE };
    let given = Given { runtime, tools, full, bundle, budgets, extent, dir: run_dir.path().to_owned() };
    let done = work(&given);
    // What it leaves is the storage of servers that nobody looks into afterwards.
    run_dir.remove()?;
    done
}

fn measured(args: &BudgetsArgs, given: &Given) -> Result<LoadReport, LoadTestError> {
    let Given { tools, budgets, extent, dir, .. } = given;
    let bundle = match args.plant {
        None => given.bundle.clone(),
        Some(fault) => plant(fault, args.amount, &given.bundle, &dir.join("planted"))?,
    };
    let measured = Measured { tools, bundle: &bundle, budgets, extent: *extent, parts: Parts::ALL, dir };
    given.until_interrupted(budgets::run(&measured, &say))
}

fn soaked(args: &SoakArgs, given: &Given) -> Result<LoadReport, LoadTestError> {
    let Given { tools, bundle, budgets, dir, .. } = given;
    given.until_interrupted(soak::run(tools, bundle, budgets, args.lasts, dir, &say))
}

fn selftested(args: &SelftestArgs, given: &Given) -> Result<LoadReport, LoadTestError> {
    let Given { tools, bundle, budgets, extent, dir, .. } = given;
    let faults = if args.faults.is_empty() { Fault::ALL.to_vec() } else { args.faults.clone() };
    let suite = Suite { tools, bundle, budgets, extent: *extent, dir };
    given.until_interrupted(suite.run(&faults, args.busy, &say))
}
