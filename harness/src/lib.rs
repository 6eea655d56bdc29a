//! The harness as a library, so that its parts can be tested and the binary stays a doorway. A command's outcome is an
//! `Exit`; only `main` turns that into a status of the process.

mod bar;
pub mod bench;
mod bounded_http;
pub mod cli;
pub mod clock;
pub mod conform;
pub mod conformance;
pub mod exit;
pub mod explain;
pub mod facilitator;
mod folders;
pub mod incident;
pub mod journal;
pub mod judge;
pub mod known;
pub mod list;
pub mod meta;
pub mod namespace;
pub mod new;
pub mod recording;
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

use std::{
    panic,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use clock::{Clock, SystemClock};
use thiserror::Error;

use bar::Bar;
use bench::{BenchError, BenchTools, Extent};
use cli::{
    BenchArgs, CheckArgs, Cli, Command, ConformArgs, ConformanceArgs, Format, IncidentArgs, MergeArgs, MetaArgs,
    NamespaceArgs, ReplayArgs, ScenarioArgs, SchemaArgs, SelftestArgs, ServeArgs, ShrinkArgs, SwarmArgs,
};
use conform::{ConformError, Reach, Settling, Start, Target};
use conformance::{ConformanceError, ConformanceTools};
use dispatcher_core::paywall::seeded::Bug;
use exit::Exit;
use incident::IncidentError;
use known::KnownError;
use meta::Twice;
use namespace::NamespaceError;
use new::NewError;
use recording::{Here, Recording, RecordingError};
use reports::report::Report;
use rules::UnknownRule;
use run::{Asked, RunDir, RunDirError, RunError, Tools};
use scenario::{Library, LibraryError, Scenario, Selection, limits::MAX_SEED};
use selftest::SelftestError;
use setup::{Bundle, Cancelled, Progress, Reference, SetupError, ToStderr, Toolchain};
use shrink::{Failing, Found, ShrinkError};
use swarm::{MergeError, SwarmError, SwarmSeed, Tally};
use tier::Tier;

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
    Bench(#[from] BenchError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Conform(#[from] ConformError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Conformance(#[from] ConformanceError),
    #[error("{path} cannot be used")]
    Document { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Known(#[from] KnownError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Serve(#[from] serve::OptionsError),
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
    fn exit(&self) -> Exit {
        match self {
            Self::Library(LibraryError::UnknownTag { .. })
            | Self::Serve(_)
            | Self::New(NewError::Name(_) | NewError::Taken(_)) => Exit::Usage,
            Self::Library(LibraryError::NothingSelected) => Exit::NothingRan,
            Self::Library(_) | Self::Known(_) => Exit::BadScenario,
            Self::Recording(error) => error.exit(),
            Self::Run(error) => error.exit(),
            Self::Bench(error) => error.exit(),
            Self::Namespace(error) => error.exit(),
            Self::Conform(error) => error.exit(),
            Self::Conformance(error) => error.exit(),
            Self::Interrupted | Self::Setup(SetupError::Interrupted { .. }) => Exit::Interrupted,
            Self::Setup(_) => Exit::DidNotStart,
            Self::Selftest(error) => error.exit(),
            Self::Rule(_) | Self::RunDir(RunDirError::Taken(_)) => Exit::Usage,
            Self::Merge(_) | Self::Incident(_) => Exit::Usage,
            Self::Shrink(error) => error.exit(),
            Self::New(_)
            | Self::Swarm(_)
            | Self::Document { .. }
            | Self::RunDir(_)
            | Self::Runtime(_)
            | Self::Json(_)
            | Self::Panicked => Exit::Internal,
        }
    }
}

fn run(command: &Command) -> Result<Exit, CommandError> {
    match command {
        Command::List(args) => {
            anstream::print!("{}", list::render(args.what(), &Library::find())?);
            Ok(Exit::Pass)
        }
        Command::Check(args) => check(args),
        Command::Export(args) => {
            let packed = recording::export(&args.run, args.output.as_deref())?;
            anstream::println!("wrote  {0}\nreplay cargo run -p harness -- replay {0}", packed.display());
            Ok(Exit::Pass)
        }
        Command::Replay(args) => replay(args),
        Command::Rules(args) => {
            anstream::print!("{}", rules::render(args.rule.as_deref())?);
            Ok(Exit::Pass)
        }
        Command::Scenario(args) => scenario(args),
        Command::Explain(args) => {
            anstream::print!("{}", explain::render(&Library::find().load(&args.scenario)?));
            Ok(Exit::Pass)
        }
        Command::New(args) => {
            let path = new::start(&args.scenario, &Library::find())?;
            anstream::println!("wrote {}\nrun   cargo run -p harness -- scenario {}", path.display(), args.scenario);
            Ok(Exit::Pass)
        }
        Command::Swarm(args) => swarm_(args),
        Command::Merge(args) => merge(args),
        Command::Shrink(args) => shrink_(args),
        Command::Incident(args) => incident_(args),
        Command::Meta(args) => meta_(args),
        Command::Schema(args) => schema(args),
        Command::Serve(args) => serve(args),
        Command::Bench(args) => bench(args),
        Command::Namespace(args) => namespace(args),
        Command::Supervise(args) => Ok(runtime()?.block_on(namespace::supervise(args))?),
        Command::Conform(args) => conform(args),
        Command::Conformance(args) => conformance_table(args),
        Command::Selftest(args) => selftest(args),
        Command::Doctor => doctor(),
        Command::Setup => set_up(),
    }
}

fn scenario(args: &ScenarioArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    // Before anything is set up: a typo is told at once.
    let bar = Bar::of(&library, args.bar.gate())?;
    let Some(asked_for) = &args.scenario else {
        return several(&library, &args.select.selection(), args.tier, &bar, args.format);
    };
    let scenario = library.load(asked_for)?;
    let stage = Stage::set_up(args.tier)?;
    let report = stage.run(&scenario, Some(asked_for), args.seed, args.run_dir.as_deref(), &bar)?;
    print(&report, args.format)
}

fn print(report: &Report, format: Format) -> Result<Exit, CommandError> {
    match format {
        Format::Table => anstream::print!("{}", reports::terminal::render(report)),
        Format::Json => anstream::print!("{}", reports::json::render(report).map_err(CommandError::Json)?),
    }
    Ok(Exit::of_report(report))
}

/// Changes nothing: what was found when the run ended stays in its folder.
fn check(args: &CheckArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let bar = Bar::of(&library, args.bar.gate())?;
    let recording = Recording::open(&args.run, args.scenario.as_deref(), &library)?;
    print(&bar.hold(recording.judge()), args.format)
}

fn replay(args: &ReplayArgs) -> Result<Exit, CommandError> {
    let library = Library::find();
    let bar = Bar::of(&library, args.bar.gate())?;
    let recording = Recording::open(&args.run, None, &library)?;
    let stage = Stage::set_up(recording.tier)?;
    let differences = stage.differences(&recording);
    anstream::eprintln!("{}", compared("this machine", "is as the one that recorded the run", "differs", &differences));
    let report = stage.run(&recording.scenario, None, Some(recording.seed), args.run_dir.as_deref(), &bar)?;
    let exit = print(&report, args.format)?;
    let changed = recording.compare(&report);
    anstream::eprintln!(
        "{}",
        compared("the run", "was judged as the recorded one, rule by rule", "was judged otherwise", &changed)
    );
    // Virtual time leaves nothing to chance: there, the same code under the same seed has one outcome.
    let is_bound_to_repeat = recording.tier == Tier::Sim && differences.is_empty();
    Ok(if is_bound_to_repeat && !changed.is_empty() { Exit::DeterminismLost } else { exit })
}

fn compared(what: &str, same: &str, other: &str, lines: &[String]) -> String {
    match lines {
        [] => format!("{what} {same}"),
        lines => format!("{what} {other}:\n  {}", lines.join("\n  ")),
    }
}

/// One line a scenario as it ends, and what broke of those that did not pass. A world that does not start says nothing of
/// the others: it is told, and they go on.
fn several(
    library: &Library,
    selection: &Selection,
    tier: Tier,
    bar: &Bar,
    format: Format,
) -> Result<Exit, CommandError> {
    let scenarios = library.select(selection)?;
    let stage = Stage::set_up(tier)?;
    let clock = SystemClock::start();
    let (mut all, mut exits) = (Vec::new(), Vec::new());
    for (n, scenario) in scenarios.iter().enumerate() {
        let so_far = Duration::from_micros(clock.now_us()).as_secs();
        anstream::eprintln!("[{}/{}, {so_far} s] {}: {}", n + 1, scenarios.len(), scenario.id(), scenario.title());
        match stage.run(scenario, Some(scenario.id().as_str()), None, None, bar) {
            Ok(report) => {
                if format == Format::Table {
                    anstream::print!("{}", reports::tally::line(&report));
                }
                exits.push(Exit::of_report(&report));
                all.push(report);
            }
            Err(interrupted) if interrupted.exit() == Exit::Interrupted => return Err(interrupted),
            Err(error) => {
                exits.push(error.exit());
                anstream::eprintln!("{:?}", miette::Report::new(error));
            }
        }
    }
    let took = Duration::from_micros(clock.now_us());
    match format {
        Format::Table => anstream::println!("{}", reports::tally::tally(&all, scenarios.len() - all.len(), took)),
        Format::Json => anstream::print!("{}", reports::json::render(&all).map_err(CommandError::Json)?),
    }
    Ok(Exit::of_several(&exits))
}

/// A tier that is ready to run scenarios, and what it runs them with.
struct Stage {
    engine: Engine,
    here: Here,
}

enum Engine {
    Live { runtime: tokio::runtime::Runtime, tools: Tools },
    Sim,
}

impl Stage {
    fn set_up(tier: Tier) -> Result<Self, CommandError> {
        match tier {
            Tier::Live => {
                let runtime = runtime()?;
                let (tools, bundle) = runtime.block_on(provide())?;
                let found = setup::diagnose(&workspace_root())?;
                let found = found.into_iter().filter_map(|tool| Some((tool.name.to_owned(), tool.found?))).collect();
                let here = Here::live(&[&bundle.index_js, &bundle.wasm], found);
                let here = here.map_err(|source| CommandError::Document { path: bundle.dir, source })?;
                Ok(Self { engine: Engine::Live { runtime, tools }, here })
            }
            Tier::Sim => Ok(Self { engine: Engine::Sim, here: Here::default() }),
        }
    }

    fn tier(&self) -> Tier {
        match self.engine {
            Engine::Live { .. } => Tier::Live,
            Engine::Sim => Tier::Sim,
        }
    }

    /// Runs, judges, and leaves all of it in the run's folder. Without a name to repeat it under it is repeated from there.
    fn run(
        &self,
        scenario: &Scenario,
        as_: Option<&str>,
        seed: Option<u64>,
        run_dir: Option<&Path>,
        bar: &Bar,
    ) -> Result<Report, CommandError> {
        let seed = seed.or(scenario.seed()).unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
        let run_dir = make_run_dir(run_dir, scenario.id().as_str())?;
        let kept = run_dir.scenario().display().to_string();
        let asked = Asked { scenario, as_: as_.unwrap_or(&kept), tier: self.tier(), seed };
        run_dir.describe(&self.here.manifest(asked), scenario)?;
        let say = |what: &str| anstream::eprintln!("{what}");
        let report = match &self.engine {
            Engine::Live { runtime, tools } => runtime.block_on(run::live(asked, tools, &run_dir, &say))?,
            Engine::Sim => run::simulated(asked, &run_dir)?,
        };
        let report = bar.hold(report);
        run_dir.write_report(&report)?;
        Ok(report)
    }

    /// In which ways a run of it here would not be the one that was recorded.
    fn differences(&self, recording: &Recording) -> Vec<String> {
        let Some(then) = &recording.manifest else {
            return vec!["the run does not say what it was made with".to_owned()];
        };
        let (scenario, tier, seed) = (&recording.scenario, recording.tier, recording.seed);
        let asked = Asked { scenario, as_: &then.asked_for, tier, seed };
        then.differences(&self.here.manifest(asked))
    }
}

fn schema(args: &SchemaArgs) -> Result<Exit, CommandError> {
    let schema = scenario::schema();
    if args.print {
        anstream::print!("{schema}");
        return Ok(Exit::Pass);
    }
    let path = Library::find().schema();
    let failed = |source| CommandError::Document { path: path.clone(), source };
    if !args.check {
        std::fs::write(&path, &schema).map_err(failed)?;
        anstream::println!("wrote {}", path.display());
    } else if std::fs::read_to_string(&path).map_err(failed)? != schema {
        anstream::eprintln!("{} is not what the language is; write it anew with `harness schema`", path.display());
        return Ok(Exit::TooSlow);
    }
    Ok(Exit::Pass)
}

/// Runs without `--runs` and `--for`: about a minute of one core.
const SWARM_RUNS: u64 = 200;

fn swarm_(args: &SwarmArgs) -> Result<Exit, CommandError> {
    let runs = args.runs.unwrap_or(SWARM_RUNS);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let plan = swarm::Plan {
        seed: args.seed.unwrap_or_else(SwarmSeed::draw),
        shard: args.shard,
        extent: args.time.map_or(swarm::Extent::Runs(runs), swarm::Extent::Time),
        threads: args.threads.map_or_else(cores, |threads| threads as usize),
        until_broken: !args.keep_going,
        runs: args.runs_dir.clone().unwrap_or_else(|| workspace_root().join("runs")),
    };
    anstream::eprintln!("simulating what is drawn from seed {}, on {} threads", plan.seed, plan.threads);
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, runtime) = (Arc::clone(&stop), runtime()?);
    // Ctrl-C ends it after the runs that are under way, and what was seen is told.
    runtime.spawn(async move {
        run::interrupted().await;
        flag.store(true, Ordering::Relaxed);
    });
    let tally = swarm::swarm(&plan, &stop, &|what| anstream::println!("{what}"))?;
    told(&tally, args.out.as_deref(), args.format)
}

fn merge(args: &MergeArgs) -> Result<Exit, CommandError> {
    match swarm::merge(&args.files)? {
        Some(tally) => told(&tally, args.out.as_deref(), args.format),
        None => Ok(Exit::NothingRan),
    }
}

fn told(tally: &Tally, out: Option<&Path>, format: Format) -> Result<Exit, CommandError> {
    let json = || reports::json::render(tally).map_err(CommandError::Json);
    if let Some(out) = out {
        std::fs::write(out, json()?).map_err(|source| CommandError::Document { path: out.to_owned(), source })?;
    }
    match format {
        Format::Table => anstream::print!("{}", swarm::render(tally)),
        Format::Json => anstream::print!("{}", json()?),
    }
    Ok(swarm::exit(tally))
}

fn shrink_(args: &ShrinkArgs) -> Result<Exit, CommandError> {
    let found = Found::at(&args.run)?;
    let seed = args.seed.or(found.seed).ok_or_else(|| ShrinkError::NoSeed(args.run.clone()))?;
    let name = args.name.clone().unwrap_or_else(|| format!("shrunk-{}", found.id));
    let name = scenario::Name::new(&name).ok_or(ShrinkError::Name(name))?;
    let failing = Failing { file: &found.file, seed, rule: args.rule.as_deref(), name: name.as_str() };
    let say = |what: &str| anstream::eprintln!("{what}");
    let shrunk = shrink::shrink(&failing, &say)?;
    let path = new::keep(Library::find().regressions().join(name.as_str()).with_extension("toml"), &shrunk.text)?;
    anstream::println!(
        "{} still breaks after {} tries; wrote {}\nrun   cargo run -p harness -- scenario {name} --tier sim",
        shrunk.rules.join(", "),
        shrunk.tries,
        path.display()
    );
    Ok(Exit::Pass)
}

fn incident_(args: &IncidentArgs) -> Result<Exit, CommandError> {
    let name = scenario::Name::new(&args.name).ok_or_else(|| NewError::Name(args.name.clone()))?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let text = incident::scenario(&args.log, &name, seed)?;
    let path = new::keep(Library::find().path(&name), &text)?;
    anstream::println!(
        "wrote {}\nread  cargo run -p harness -- explain {name}\nrun   cargo run -p harness -- scenario {name} --tier sim",
        path.display()
    );
    Ok(Exit::Pass)
}

fn meta_(args: &MetaArgs) -> Result<Exit, CommandError> {
    let scenario = Library::find().load(&args.scenario)?;
    let seed = args.seed.or(scenario.seed()).unwrap_or_else(|| fastrand::u64(..=MAX_SEED));
    let asked = Asked { scenario: &scenario, as_: &args.scenario, tier: Tier::Sim, seed };
    Ok(match meta::twice(asked).map_err(RunError::from)? {
        Twice::Same { events, hash } => {
            anstream::println!("seed {seed} gave the same {events} events twice: {hash}");
            Exit::Pass
        }
        Twice::Different { at, first, second } => {
            anstream::println!("seed {seed} gave two runs; event {at} differs:\n  {first}\n  {second}");
            Exit::DeterminismLost
        }
    })
}

fn serve(args: &ServeArgs) -> Result<Exit, CommandError> {
    let scenario = match (&args.tenants[..], args.facilitators) {
        ([], None) => Library::find().load(&args.world)?,
        (tenants, facilitators) => serve::world(tenants, facilitators.unwrap_or(1).into())?,
    };
    let runtime = runtime()?;
    let (tools, _) = runtime.block_on(provide())?;
    let run_dir = make_run_dir(None, "serve")?;
    runtime.block_on(serve::serve(&scenario, &tools, &run_dir, args.port, &args.facilitator_urls))?;
    Ok(Exit::Pass)
}

/// A file system in memory, where Linux has one.
const MEMORY: &str = "/dev/shm";

/// Leaves nothing behind: what it writes is the storage of servers that nobody looks into afterwards.
fn bench(args: &BenchArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let (workerd, tools, reference) = runtime.block_on(provide_reference())?;
    let tools = BenchTools {
        workerd,
        bundle_index_js: tools.bundle_index_js,
        wrangler_jsonc: tools.wrangler_jsonc,
        reference_module: reference.module,
        reference_library: reference.library,
        floor_module: workspace_root().join("harness/assets/bench/floor.mjs"),
    };
    let memory = Path::new(MEMORY);
    let storage = args.storage.clone().or_else(|| memory.is_dir().then(|| memory.to_owned()));
    let folder = format!("402claw-bench-{}", SystemClock::new().unix_ms());
    let folder = storage.map_or_else(|| workspace_root().join("runs").join(&folder), |storage| storage.join(&folder));
    let run_dir = RunDir::make(Some(&folder), &workspace_root(), "bench", 0)?;
    let extent = Extent { rounds: args.rounds, within: Duration::from_secs(args.seconds) };
    let say = |what: &str| anstream::eprintln!("{what}");
    let report = runtime.block_on(async {
        tokio::select! {
            report = bench::bench(&tools, extent, &args.v8_flags, run_dir.path(), &say) => Ok(report?),
            () = run::interrupted() => Err(CommandError::Interrupted),
        }
    });
    run_dir.remove()?;
    let report = report?;
    match args.format {
        Format::Table => anstream::print!("{}", report.table()),
        Format::Json => anstream::print!("{}", reports::json::render(&report).map_err(CommandError::Json)?),
    }
    Ok(report.exit())
}

fn namespace(args: &NamespaceArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let tools = runtime.block_on(setting_up(setup::ensure_namespace))?;
    Ok(runtime.block_on(namespace::guarded(args, &tools))?)
}

fn conform(args: &ConformArgs) -> Result<Exit, CommandError> {
    let reach = if args.allow_remote { Reach::Anywhere } else { Reach::Loopback };
    let target = |url: &str| Target::parse(url, reach).map_err(ConformError::from);
    let say = |what: &str| anstream::eprintln!("{what}");
    let found = runtime()?.block_on(async {
        let checked = async {
            match (&args.url, &args.start, &args.facilitator) {
                (Some(url), Some(command), _) => {
                    let start = Start { command: command.clone(), variable: args.facilitator_env.clone() };
                    conform::started(&target(url)?, &start, &say).await
                }
                (Some(url), None, _) => conform::server(&target(url)?).await,
                (None, _, Some(url)) => {
                    let settling = if args.settle { Settling::Allowed } else { Settling::Never };
                    conform::facilitator(&target(url)?, settling).await
                }
                (None, _, None) => panic!("clap asks for one of the two"),
            }
        };
        tokio::select! {
            found = checked => Ok(found?),
            () = run::interrupted() => Err(CommandError::Interrupted),
        }
    })?;
    match args.format {
        Format::Table => anstream::print!("{}", found.table()),
        Format::Json => anstream::print!("{}", reports::json::render(&found).map_err(CommandError::Json)?),
    }
    Ok(found.exit())
}

fn conformance_table(args: &ConformanceArgs) -> Result<Exit, CommandError> {
    let runtime = runtime()?;
    let (workerd, tools, reference) = runtime.block_on(provide_reference())?;
    let tools = ConformanceTools {
        workerd,
        bundle_index_js: tools.bundle_index_js,
        wrangler_jsonc: tools.wrangler_jsonc,
        reference_module: reference.module,
        reference_library: reference.library,
    };
    let run_dir = make_run_dir(None, "conformance")?;
    let say = |what: &str| anstream::eprintln!("{what}");
    let made = runtime.block_on(async {
        tokio::select! {
            made = conformance::conformance(&tools, run_dir.path(), &say) => Ok(made?),
            () = run::interrupted() => Err(CommandError::Interrupted),
        }
    })?;
    let path = workspace_root().join("docs/conformance.md");
    let failed = |source| CommandError::Document { path: path.clone(), source };
    let as_it_was = if args.check {
        let kept = std::fs::read_to_string(&path).map_err(failed)?;
        kept == made.document
    } else {
        std::fs::write(&path, &made.document).map_err(failed)?;
        true
    };
    if !as_it_was {
        let seen = run_dir.path().join("conformance.md");
        std::fs::write(&seen, &made.document).map_err(failed)?;
        anstream::eprintln!("{} is not what was seen: {}", path.display(), seen.display());
        return Ok(Exit::TooSlow);
    }
    run_dir.remove()?;
    Ok(if made.sound { Exit::Pass } else { Exit::RuleBroken })
}

fn selftest(args: &SelftestArgs) -> Result<Exit, CommandError> {
    let bugs = selftest::bugs(&args.bugs)?;
    if args.list {
        anstream::print!("{}", selftest::list(&bugs));
        return Ok(Exit::Pass);
    }
    seeded(args, &bugs)
}

/// In the build that has the bugs in it.
#[cfg(feature = "seeded-bugs")]
fn seeded(args: &SelftestArgs, bugs: &[Bug]) -> Result<Exit, CommandError> {
    let score = selftest::run(bugs, &|what| anstream::eprintln!("{what}"))?;
    match args.format {
        Format::Table => anstream::print!("{}", score.table()),
        Format::Json => anstream::print!("{}", reports::json::render(&score).map_err(CommandError::Json)?),
    }
    Ok(score.exit())
}

/// Makes that build, which goes on in the place of this one.
#[cfg(not(feature = "seeded-bugs"))]
fn seeded(_: &SelftestArgs, _: &[Bug]) -> Result<Exit, CommandError> {
    use std::os::unix::process::CommandExt;

    let with_bugs = runtime()?.block_on(setting_up(setup::build_seeded))?;
    let not_started = std::process::Command::new(with_bugs).args(std::env::args_os().skip(1)).exec();
    Err(SelftestError::NotStarted(not_started).into())
}

/// Provides what is missing and builds the dispatcher.
async fn provide() -> Result<(Tools, Bundle), CommandError> {
    provide_and(|toolchain, bundle, _, _| Ok((tools(toolchain, &bundle), bundle))).await
}

/// Besides that, the official server library as a Worker, and the runtime that both are served by.
async fn provide_reference() -> Result<(PathBuf, Tools, Reference), CommandError> {
    provide_and(|toolchain, bundle, progress, cancelled| {
        let reference = setup::build_reference(toolchain, &workspace_root(), progress, cancelled)?;
        Ok((toolchain.workerd(), tools(toolchain, &bundle), reference))
    })
    .await
}

fn tools(toolchain: &Toolchain, bundle: &Bundle) -> Tools {
    Tools {
        node: toolchain.node().to_owned(),
        wrangler_js: toolchain.wrangler_js(),
        workerd: toolchain.workerd(),
        bundle_index_js: bundle.index_js.clone(),
        wrangler_jsonc: workspace_root().join("dispatcher/worker/wrangler.jsonc"),
    }
}

async fn provide_and<T: Send + 'static>(
    then: impl FnOnce(&Toolchain, Bundle, &mut dyn Progress, &Cancelled) -> Result<T, SetupError> + Send + 'static,
) -> Result<T, CommandError> {
    setting_up(|root, progress, cancelled| {
        let toolchain = setup::ensure(root, progress, cancelled)?;
        let bundle = setup::build_dispatcher(&toolchain, root, progress, cancelled)?;
        then(&toolchain, bundle, progress, cancelled)
    })
    .await
}

/// Ctrl-C calls it off, with every compiler it started.
async fn setting_up<T: Send + 'static>(
    work: impl FnOnce(&Path, &mut dyn Progress, &Cancelled) -> Result<T, SetupError> + Send + 'static,
) -> Result<T, CommandError> {
    let cancelled = Cancelled::default();
    let flag = cancelled.clone();
    let mut work = tokio::task::spawn_blocking(move || work(&workspace_root(), &mut ToStderr, &flag));
    let done = tokio::select! {
        done = &mut work => done,
        () = run::interrupted() => {
            cancelled.cancel();
            work.await
        }
    };
    Ok(done.map_err(|_| CommandError::Panicked)??)
}

fn doctor() -> Result<Exit, CommandError> {
    let findings = setup::diagnose(&workspace_root())?;
    anstream::print!("{}", setup::render(&findings));
    let complete = findings.iter().all(|finding| finding.found.is_some());
    Ok(if complete { Exit::Pass } else { Exit::DidNotStart })
}

fn set_up() -> Result<Exit, CommandError> {
    let (_, bundle) = runtime()?.block_on(provide())?;
    anstream::println!(
        "ready: wasm {} bytes ({} gzip), JavaScript {} bytes ({} gzip)",
        bundle.wasm_bytes,
        bundle.wasm_gzip_bytes,
        bundle.js_bytes,
        bundle.js_gzip_bytes
    );
    Ok(Exit::Pass)
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
