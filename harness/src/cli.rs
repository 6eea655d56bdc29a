//! The command line. Only what can be asked for stands here; `run` in `lib.rs` says what is done about it.

use crate::{
    catalogue::list::Listing,
    exit::Exit,
    http::request_form::{self, Header},
    serve::{self, Environment},
    swarm::{Shard, SwarmSeed},
};
use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum, value_parser};
use namespace::{self, Policy};
mod format;
mod gate_args;
mod report_args;

pub use format::{Format, FormatArgs, asks_for_json};
pub use gate_args::{GateArgs, GateTask};
pub use report_args::{ReportArgs, ReportFile, ReportNotWritten};

use reports::level::Level;
use reqwest::Method;
use scenario::{
    self, Profile, Selection, Tenant, Tier,
    limits::{MAX_FACILITATORS, MAX_SEED},
};
use std::{path::PathBuf, time::Duration};

/// Runs the real dispatcher against facilitators that fail, and judges what happened
#[derive(Debug, Parser)]
#[command(name = "harness", version, arg_required_else_help = true, after_help = after_help())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// The folder to keep runs in; runs/ beside the scenarios unless given
    #[arg(long, global = true, env = "HARNESS_RUNS", value_name = "DIR")]
    pub runs_dir: Option<PathBuf>,
    /// Tell on standard error what the harness itself does: -v, -vv for each request, -vvv; RUST_LOG says it more finely
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Tell it as JSON, an object a line
    #[arg(long, global = true)]
    pub log_json: bool,
    /// How many runs that passed are kept; those that did not pass stay
    #[arg(long, global = true, env = "HARNESS_KEEP_RUNS", value_name = "N", default_value_t = 200)]
    pub keep_runs: usize,
    /// Run a bundle that is built already, a folder with index.js and index_bg.wasm, in place of this checkout's
    #[arg(long, global = true, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario and judge it
    Scenario(ScenarioArgs),
    /// Run scenarios in both tiers, and say where their judges do not agree
    Tiers(TiersArgs),
    /// Draw scenarios from seeds and simulate them until something breaks
    Swarm(SwarmArgs),
    /// Join the results of a swarm's shards
    Merge(MergeArgs),
    /// Make a failure small, and keep it as a scenario
    Shrink(ShrinkArgs),
    /// Tell from the dispatcher's log of an incident what happened and what to do, and make a scenario that shows it
    Incident(IncidentArgs),
    /// Make an incident to practise on, and check what one concludes from its log
    Drill(DrillArgs),
    /// Simulate a scenario twice and prove that its seed gives the same run
    Meta(MetaArgs),
    /// Judge a run again that is over: a run directory, its events.jsonl, or an export
    Check(CheckArgs),
    /// Make a report of a run that is over, in any format: a page in its folder unless --report says otherwise
    Report(RunReportArgs),
    /// Compare how long requests waited in two sides' runs, and tell a difference from noise
    Compare(CompareArgs),
    /// Pack a run directory into one file, to be judged or replayed elsewhere
    Export(ExportArgs),
    /// Run again what an export or a run directory holds, and compare the verdicts
    Replay(ReplayArgs),
    /// List scenarios, faults, kinds of clients or checkers
    List(ListArgs),
    /// Tell a scenario's timeline in words
    Explain(ExplainArgs),
    /// Start a scenario in scenarios/ that runs as it is, with comments on what could stand there
    New(NewArgs),
    /// Write the JSON Schemas of the scenario language and of the report
    Schema(SchemaArgs),
    /// Print the rules that runs are held to: level, source, and what usually breaks them
    Rules(RulesArgs),
    /// Plant bugs in the dispatcher, and see that the rules that name them break
    Selftest(SelftestArgs),
    /// Say what this machine lacks for a run, and how to get it
    Doctor(FormatArgs),
    /// Make a folder with all that a run needs, for machines without a checkout
    Install(InstallArgs),
    /// Print a shell's completions
    Completions(CompletionsArgs),
    /// Write the man pages
    Man(ManArgs),
    /// Get what a run needs: tools at their pinned versions
    Setup(FormatArgs),
    /// Start the dispatcher with its doubles and leave it running, to try things by hand
    Serve(ServeArgs),
    /// Run all that a change, a night or a release is held to, and write the verdict that a deploy rests on
    Gate(GateArgs),
    /// Remove old runs: the newest stay, and those that did not pass
    Clean(CleanArgs),
    /// Buy from an x402 server with a throwaway key, and show each step
    Pay(PayArgs),
    /// Switch faults of a world that `serve` runs
    Fault(FaultArgs),
    /// Measure the dispatcher beside the official server library
    Bench(BenchArgs),
    /// Serve a local dispatch namespace that enforces CPU, memory and subrequest limits
    Namespace(NamespaceArgs),
    /// The supervisor of `namespace`, under its guard
    #[command(name = namespace::SUBCOMMAND, hide = true)]
    Supervise(SuperviseArgs),
    /// Check an x402 server or a facilitator, any that there is, from outside
    Conform(ConformArgs),
    /// Write what the dispatcher and the official server library do under each fault to docs/conformance.md
    Conformance(ConformanceArgs),
}

#[derive(Debug, Args)]
pub struct ScenarioArgs {
    #[command(flatten)]
    pub which: WhichArgs,
    /// Seed of the run; overrides the scenario's
    #[arg(long, value_name = "N", conflicts_with_all = SEVERAL, value_parser = value_parser!(u64).range(..=MAX_SEED))]
    pub seed: Option<u64>,
    /// The tier to run the scenario in
    #[arg(long, value_enum, default_value_t = Tier::Live)]
    pub tier: Tier,
    #[command(flatten)]
    pub bar: BarArgs,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    /// The folder for the run's events and logs; a new folder under runs/ unless given
    #[arg(long, value_name = "DIR", conflicts_with_all = SEVERAL)]
    pub run_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TiersArgs {
    #[command(flatten)]
    pub which: WhichArgs,
    #[command(flatten)]
    pub bar: BarArgs,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// One scenario, or several.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Name of a scenario, or the path of a .toml file
    #[arg(value_name = "NAME", required_unless_present_any = SEVERAL, conflicts_with_all = SEVERAL)]
    pub scenario: Option<String>,
    /// Every scenario of the library, or every one of a profile or tag, one after another
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub select: SelectArgs,
}

/// Asks for more than one scenario, which have seeds and run directories of their own.
const SEVERAL: [&str; 3] = ["all", "profile", "tags"];

#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Only the scenarios that this gate runs
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// Only the scenarios with this tag; given more than once, those with any of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

impl SelectArgs {
    pub fn selection(&self) -> Selection {
        Selection { profile: self.profile, tags: self.tags.clone() }
    }
}

#[derive(Debug, Args)]
pub struct SwarmArgs {
    /// How many runs [default: 200, unless --for is given]
    #[arg(long, value_name = "N", conflicts_with = "time", value_parser = value_parser!(u64).range(1..))]
    pub runs: Option<u64>,
    /// How long to go on, such as 90s or 10m
    #[arg(long = "for", id = "time", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// A number or a commit's hash; a fresh one unless given
    #[arg(long, value_name = "SEED")]
    pub seed: Option<SwarmSeed>,
    /// Which part of the swarm's runs to do, counted from 0: 2/8 is the third of eight
    #[arg(long, value_name = "I/N", default_value = "0/1", requires = "seed")]
    pub shard: Shard,
    /// Threads to simulate on; as many as there are cores unless given
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=256))]
    pub threads: Option<u64>,
    /// Go on when something breaks
    #[arg(long)]
    pub keep_going: bool,
    /// The file for the result, for `harness merge`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Files that `harness swarm --out` wrote
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The file for the joined result
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// Folder of a run that broke a rule, name of a scenario, or the path of a .toml file
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Seed with which it breaks; the run's or the scenario's own unless given
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=MAX_SEED))]
    pub seed: Option<u64>,
    /// Rule that must go on breaking, such as MONEY-3; all that break unless given
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Name of the new scenario under scenarios/regressions/; made from the old one's unless given
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// File to write instead
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct IncidentArgs {
    /// Logs: files of `wrangler tail`, Workers Logs or Logpush, packed or not; a run's folder, its events or its log; `-` for standard
    /// input. Several are read as one
    #[arg(value_name = "INPUT", required = true)]
    pub logs: Vec<PathBuf>,
    /// Only from this moment on, in UTC: 16:30, or 2026-11-28T16:30:00Z
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only up to this moment
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only what is about this request and its payment; may be given more than once
    #[arg(long = "request-id", value_name = "ID")]
    pub request_ids: Vec<String>,
    /// URL of the dispatcher, for the commands of the page
    #[arg(long, value_name = "URL")]
    pub dispatcher: Option<String>,
    /// Name of the new scenario
    #[arg(long, value_name = "NAME", default_value = "incident")]
    pub name: String,
    /// File to write it to; NAME.toml here unless given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Seed that it gets; a fresh one unless given
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=MAX_SEED))]
    pub seed: Option<u64>,
    /// Run the scenario at once, and hold the run against the log
    #[arg(long, value_enum, default_value_t = IncidentRun::Sim)]
    pub run: IncidentRun,
    /// Write the page to a file as well: html=FILE
    #[arg(long = "report", value_name = "html=FILE", value_parser = incident_report)]
    pub reports: Vec<IncidentReport>,
    #[command(flatten)]
    pub print: FormatArgs,
}

/// The tier that an incident's scenario is run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IncidentRun {
    /// In virtual time, which takes a second or two
    Sim,
    /// Against the real Worker
    Live,
    /// Not at all
    No,
}

/// A page that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentReport {
    pub path: PathBuf,
}

fn incident_report(text: &str) -> Result<IncidentReport, String> {
    match text.split_once('=') {
        Some(("html", path)) if !path.is_empty() => Ok(IncidentReport { path: path.into() }),
        _ => Err("the page is asked for as html=FILE".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct DrillArgs {
    /// stuck-settle, error-pages, burning-tenant or flood
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The tier to make the incident in: against the real Worker takes a minute, in virtual time a second
    #[arg(long, value_enum, default_value_t = Tier::Live, conflicts_with = "of")]
    pub tier: Tier,
    /// Folder of the incident that the conclusions are about
    #[arg(long, value_name = "DIR")]
    pub of: Option<PathBuf>,
    /// The kind of thing that was ill: facilitator, tenant, load, configuration, directory, ledger or dispatcher
    #[arg(long, value_name = "KIND", requires = "of")]
    pub kind: Option<String>,
    /// Which facilitator or tenant
    #[arg(long, value_name = "ID", requires = "of")]
    pub who: Option<String>,
    /// Which of its calls: verify, settle or none
    #[arg(long, value_name = "CALL", requires = "of")]
    pub call: Option<String>,
    /// When it began, as a time of day in UTC
    #[arg(long, value_name = "TIME", requires = "of")]
    pub began: Option<String>,
    /// How many payments nobody knows to be charged or not, at the log's end
    #[arg(long, value_name = "N", requires = "of")]
    pub open: Option<usize>,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct MetaArgs {
    /// Name of a scenario, or the path of a .toml file
    #[arg(value_name = "NAME")]
    pub scenario: String,
    /// Seed of both runs; overrides the scenario's
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=MAX_SEED))]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Reads a duration as scenarios write it.
fn duration(text: &str) -> Result<Duration, String> {
    scenario::duration(text).ok_or_else(|| "a whole number of ms, s or m, such as 90s or 10m".to_owned())
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// List what a scenario can inject instead
    #[arg(long, conflicts_with_all = ["clients", "checkers", "profile", "tags"])]
    faults: bool,
    /// List the kinds of clients that a scenario's traffic can have instead
    #[arg(long, conflicts_with_all = ["checkers", "profile", "tags"])]
    clients: bool,
    /// List what a scenario can hold the dispatcher to instead
    #[arg(long, conflicts_with_all = ["profile", "tags"])]
    checkers: bool,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    pub print: FormatArgs,
}

impl ListArgs {
    pub fn what(&self) -> Listing {
        match (self.faults, self.clients, self.checkers) {
            (true, ..) => Listing::Faults,
            (_, true, _) => Listing::Clients,
            (.., true) => Listing::Checkers,
            _ => Listing::Scenarios(self.select.selection()),
        }
    }
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Run directory, events.jsonl, or export
    pub run: PathBuf,
    /// Scenario to judge it by, as a name or a .toml file; the one kept with the run unless given
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    #[command(flatten)]
    pub bar: BarArgs,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct RunReportArgs {
    /// Run directory, events.jsonl, or export
    pub run: PathBuf,
    #[command(flatten)]
    pub bar: BarArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A run directory, events.jsonl, export, or a folder of run directories: what to compare with. With --scenario, a folder with
    /// a built bundle
    #[arg(value_name = "FIRST")]
    pub first: PathBuf,
    /// The same, of what may not be slower
    #[arg(value_name = "SECOND")]
    pub second: PathBuf,
    /// Run this scenario live against two builds, in turns, and compare those runs
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// How often to run each build
    #[arg(long, value_name = "N", requires = "scenario", default_value_t = 3, value_parser = value_parser!(u32).range(1..=50))]
    pub rounds: u32,
    /// How much slower the second may be, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub allowed: f64,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// A share that is not negative.
fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse::<f64>().ok().filter(|percent| (0.0..=1000.0).contains(percent));
    percent.ok_or_else(|| "a number from 0 to 1000".to_owned())
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Run directory
    pub run: PathBuf,
    /// File to write; the run's name and .tar.gz unless given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Export, or run directory
    pub run: PathBuf,
    /// The folder for the run's events and logs; a new folder under runs/ unless given
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub bar: BarArgs,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Options for what a run is held to.
#[derive(Debug, Args)]
pub struct BarArgs {
    /// Hold the run to what is a `should` as well
    #[arg(long)]
    strict: bool,
}

impl BarArgs {
    pub fn gate(&self) -> Level {
        if self.strict { Level::Should } else { Level::Must }
    }
}

#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Id of a rule (MONEY-1), or name of its checker; all of them unless given
    pub rule: Option<String>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// How often each server is started and measured, in turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=50))]
    pub rounds: u32,
    /// The longest that one case of one round may take
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = value_parser!(u64).range(1..=60))]
    pub seconds: u64,
    /// The folder for the servers' files; memory where the system has it, because a disk's `fsync` is no Worker's cost
    #[arg(long, value_name = "DIR")]
    pub storage: Option<PathBuf>,
    /// Measure a paid request beside a hundred, ten thousand and a million kept payments instead
    #[arg(long)]
    pub growth: bool,
    /// A flag for the V8 of every server
    #[arg(long = "v8-flag", value_name = "FLAG", allow_hyphen_values = true)]
    pub v8_flags: Vec<String>,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// How many of the newest runs stay, whatever they came to
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub keep: usize,
    /// Remove old runs that did not pass as well
    #[arg(long)]
    pub failed_too: bool,
    /// Only tell what would be removed
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Name of a scenario, or the path of a .toml file
    #[arg(value_name = "NAME")]
    pub scenario: String,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct NewArgs {
    /// Its name: lower-case letters, digits and single hyphens
    #[arg(value_name = "NAME")]
    pub scenario: String,
    /// File to write; in scenarios/ where there is one at or above the working directory, else here
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Compare with the file as it is instead of writing it
    #[arg(long, conflicts_with = "print")]
    pub check: bool,
    /// Print it instead
    #[arg(long)]
    pub print: bool,
    /// Print the one of the report
    #[arg(long, requires = "print")]
    pub report: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").required(true).args(["url", "facilitator"])))]
pub struct ConformArgs {
    /// The URL of something that the server sells: its offer is checked, and how it refuses what is no payment. For
    /// https the system's certificates count, or those in the file that SSL_CERT_FILE names
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A facilitator: what it supports, and how it verifies what is no payment
    #[arg(long, value_name = "URL")]
    pub facilitator: Option<String>,
    /// Start the server at --url by this shell command, once for each fault of the facilitator double whose URL stands for
    /// `{facilitator}` in it, and check what it does then
    #[arg(long, value_name = "COMMAND", conflicts_with = "facilitator")]
    pub start: Option<String>,
    /// The environment variable that has the double's URL, too, for the command
    #[arg(long, value_name = "NAME", requires = "start", default_value = "FACILITATOR_URL")]
    pub facilitator_env: String,
    /// Method of the request that --url sells [default: GET, or POST with --body]
    #[arg(long, value_name = "METHOD", requires = "url", conflicts_with = "facilitator", value_parser = request_form::method)]
    pub method: Option<Method>,
    /// Body of that request; JSON unless a header says otherwise or it does not read as such
    #[arg(long, value_name = "TEXT", requires = "url", conflicts_with = "facilitator")]
    pub body: Option<String>,
    /// A header of that request; may be given more than once
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "url", conflicts_with = "facilitator", value_parser = request_form::header)]
    pub headers: Vec<Header>,
    /// A header for the facilitator, such as one with a key; may be given more than once
    #[arg(long = "facilitator-header", value_name = "NAME: VALUE", requires = "facilitator", conflicts_with = "url", value_parser = request_form::header)]
    pub facilitator_headers: Vec<Header>,
    /// Ask the facilitator to settle, too
    #[arg(long, conflicts_with = "url")]
    pub settle: bool,
    /// Send broken payments to a server that is not on this machine
    #[arg(long)]
    pub allow_remote: bool,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// Plant these bugs only
    #[arg(value_name = "BUG")]
    named: Vec<String>,
    /// The same; can be repeated
    #[arg(long = "bug", value_name = "NAME", hide = true)]
    also_named: Vec<String>,
    /// Plant the bugs of this folder as well: one TOML file each, as in `harness/bugs`
    #[arg(long = "bugs", value_name = "DIR")]
    pub more: Option<PathBuf>,
    /// The place to plant in: the dispatcher's core, or in the Worker's adapters, which takes some eight minutes
    #[arg(long, value_enum, default_value_t = Tier::Sim)]
    pub tier: Tier,
    /// List the bugs of both tiers, what they break and what is to catch them, without planting any
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

impl SelftestArgs {
    /// The bugs that are named.
    pub fn names(&self) -> Vec<String> {
        self.named.iter().chain(&self.also_named).cloned().collect()
    }
}

#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// Compare with the file as it is instead of writing it
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port of the dispatcher on loopback; any free one unless given
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Scenario whose world to start; its traffic and faults are left out
    #[arg(long, value_name = "NAME", default_value = "outage")]
    pub world: String,
    /// A tenant to serve instead of a scenario's: its price is in USDC, and without one it is free. Can be repeated
    #[arg(long = "tenant", value_name = "ID:PLAN[:PRICE]", conflicts_with = "world", value_parser = serve::tenant)]
    pub tenants: Vec<Tenant>,
    /// Folder of Workers of yours to serve instead: a .js, .mjs or .ts file, or a folder, each. Its `tenant.json` may say
    /// {"plan": "pro", "price": "0.01", "hosts": ["shop.example"]}. Saving a file is a deploy
    #[arg(long = "tenants", value_name = "DIR", conflicts_with_all = ["world", "tenants"])]
    pub workers: Option<PathBuf>,
    /// The environment: `test` is Base Sepolia, `prod` is Base
    #[arg(long, value_enum, default_value_t = Environment::Test, conflicts_with = "world")]
    pub env: Environment,
    /// How many facilitator doubles to start instead of a scenario's
    #[arg(long, value_name = "N", conflicts_with_all = ["world", "facilitator_urls"], value_parser = value_parser!(u8).range(1..=MAX_FACILITATORS as i64))]
    pub facilitators: Option<u8>,
    /// Ports of the doubles on loopback, primary first; any free one for those beyond the last
    #[arg(long, value_name = "N", value_delimiter = ',', conflicts_with = "facilitator_urls", value_parser = value_parser!(u16).range(1..))]
    pub facilitator_ports: Vec<u16>,
    /// A fault that is on from the start: 'primary settle settle-then-hang'. Can be repeated; `harness fault` switches others
    #[arg(long = "fault", value_name = "WORDS", conflicts_with = "facilitator_urls")]
    pub faults: Vec<String>,
    /// Keeps events as production does, in a queue and a database of this machine: `/__platform/events` and its like answer
    #[arg(long)]
    pub telemetry: bool,
    /// A variable of the Worker that keeps them, such as a webhook's URL
    #[arg(long = "telemetry-var", value_name = "NAME=VALUE", requires = "telemetry", value_parser = named_value)]
    pub telemetry_vars: Vec<(String, String)>,
    /// Facilitators to use in place of the doubles, primary first
    #[arg(long, env = "X402_FACILITATOR_URL", value_name = "URL", value_delimiter = ',', value_parser = serve::facilitator_url)]
    pub facilitator_urls: Vec<String>,
    /// Nodes of the chain that the dispatcher asks about settlements that nobody can clear up, the first asked first; the
    /// doubles' own unless given, and none beside facilitators of yours
    #[arg(long, visible_alias = "chain-rpc-url", env = "X402_NODE_URL", value_name = "URL", value_delimiter = ',', value_parser = serve::node_url)]
    pub node_urls: Vec<String>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct NamespaceArgs {
    /// Folder of the scripts: one folder, or one .js/.mjs file, each
    #[arg(long, value_name = "DIR", required_unless_present = "calibrate")]
    pub tenants: Option<PathBuf>,
    /// Port on loopback; 0 for any free one
    #[arg(long, value_name = "N", default_value_t = 8402)]
    pub port: u16,
    /// The one who answers the tenants' subrequests: `double`, `refuse`, or a server of yours as http://HOST:PORT
    #[arg(long, value_name = "POLICY", default_value_t = Policy::Double)]
    pub outbound: Policy,
    /// The memory that an isolate may hold before it is ended, beyond what its process began with: resident pages,
    /// garbage and
    /// the runtime's own copies among them, looked at from outside, so that a fast one is a few MB over by then
    #[arg(long, value_name = "N", default_value_t = namespace::DEFAULT_MEMORY_MB, value_parser = value_parser!(u32).range(16..=4096))]
    pub memory_mb: u32,
    /// The folder to write the plugin to, for `wrangler dev`; a folder of the cache unless given
    #[arg(long, value_name = "DIR")]
    pub plugin_dir: Option<PathBuf>,
    /// Measure how exactly tenants are cut off on this machine, and what that costs a neighbour
    #[arg(long, conflicts_with = "tenants")]
    pub calibrate: bool,
    #[command(flatten)]
    pub print: FormatArgs,
}

/// The options of `harness namespace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceTask {
    Serve,
    Calibrate,
}

impl NamespaceArgs {
    pub fn task(&self) -> NamespaceTask {
        if self.tenants.is_some() { NamespaceTask::Serve } else { NamespaceTask::Calibrate }
    }
}

#[derive(Debug, Args)]
pub struct SuperviseArgs {
    #[command(flatten)]
    pub args: NamespaceArgs,
    #[arg(long, value_name = "FILE")]
    pub workerd: PathBuf,
    /// The URL that dispatches and their ends are reported to, in place of standard output
    #[arg(long, value_name = "URL")]
    pub report_to: Option<reqwest::Url>,
}

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The folder: bin/harness, the built Workers and the scenarios go there
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder to write them to
    #[arg(long, value_name = "DIR", default_value = "man")]
    pub to: PathBuf,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct PayArgs {
    /// The URL to buy, path included
    #[arg(value_name = "URL")]
    pub url: String,
    /// Print the header that pays and send nothing: curl -H "$(harness pay URL --header)" URL
    #[arg(long, conflicts_with = "client")]
    pub header: bool,
    /// The client that pays: ours, or `@x402/fetch`
    #[arg(long, value_enum, default_value_t = PayingClient::Ours)]
    pub client: PayingClient,
    /// Method of the request [default: GET, or POST with --body]
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = request_form::method)]
    pub method: Option<Method>,
    /// Body of the request; JSON unless a header says otherwise or it does not read as such
    #[arg(short = 'd', long, value_name = "TEXT")]
    pub body: Option<String>,
    /// A header of the request; may be given more than once
    #[arg(short = 'H', long = "with", value_name = "NAME: VALUE", value_parser = request_form::header)]
    pub headers: Vec<Header>,
    /// How long to go on sending a payment whose outcome is unknown; 0s to send it once
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = patience)]
    pub patience: Duration,
    /// Seed of the key; a fresh one unless given, which nobody keeps
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PayingClient {
    /// The harness's own, which sends a payment again whose outcome is unknown
    Ours,
    /// The official TypeScript client, which does what it does
    Official,
}

/// Reads a duration as `duration` does, and none at all.
fn patience(text: &str) -> Result<Duration, String> {
    if ["0", "0s"].contains(&text) { Ok(Duration::ZERO) } else { duration(text) }
}

#[derive(Debug, Args)]
pub struct FaultArgs {
    #[command(subcommand)]
    pub act: FaultAct,
    /// Folder of the world's run; the latest one that is being served unless given
    #[arg(long, global = true, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Subcommand)]
pub enum FaultAct {
    /// Switch one on: primary settle settle-then-hang
    Add {
        /// FACILITATOR verify|settle|any FAULT [first N|nth N|every N] [for TIME]; `list --faults` has the faults
        #[arg(value_name = "WORD", required = true, num_args = 1..)]
        words: Vec<String>,
    },
    /// List those that are on, and how many calls each took
    List,
    /// End all of them
    Clear,
}

fn after_help() -> String {
    format!("Example:\n  harness scenario outage --seed 42\n\n{}", Exit::table())
}

fn named_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no =, as in NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_lists_every_code() {
        let help = Cli::command().render_long_help().to_string();
        for exit in Exit::ALL {
            let row = format!("{:>3}  {}", exit.code(), exit.meaning());
            assert!(help.contains(&row), "{row:?} is not in --help");
        }
    }

    /// Commands that print what only a shell, a guard or a browser reads.
    const PRINT_FOR_OTHERS: [&str; 2] = ["completions", namespace::SUBCOMMAND];

    /// Commands that judge, and so can leave a report in every form.
    const JUDGE: [&str; 16] = [
        "bench",
        "check",
        "compare",
        "conform",
        "conformance",
        "drill",
        "gate",
        "incident",
        "merge",
        "meta",
        "replay",
        "report",
        "scenario",
        "selftest",
        "swarm",
        "tiers",
    ];

    #[test]
    fn every_command_prints_for_programs_and_every_one_that_judges_reports() {
        let cli = Cli::command();
        let has = |command: &clap::Command, long: &str| command.get_arguments().any(|arg| arg.get_long() == Some(long));
        for command in cli.get_subcommands() {
            let name = command.get_name();
            let is_for_others = PRINT_FOR_OTHERS.contains(&name);
            assert!(has(command, "format") || is_for_others, "{name} has no --format");
            assert_eq!(has(command, "report"), JUDGE.contains(&name) || name == "schema", "{name}, --report");
        }
    }

    fn is_fine(line: &str) -> bool {
        Cli::try_parse_from(line.split(' ')).is_ok()
    }

    #[test]
    fn a_seed_is_a_number() {
        assert!(is_fine("harness scenario outage --seed 42"));
        assert!(!is_fine("harness scenario outage --seed x"));
    }

    #[test]
    fn one_scenario_is_asked_for_or_several() {
        for several in ["--all", "--profile pr", "--tag crash", "--all --profile nightly --tag crash --tag settle"] {
            assert!(is_fine(&format!("harness scenario {several}")), "{several}");
            assert!(!is_fine(&format!("harness scenario outage {several}")), "{several}");
            assert!(!is_fine(&format!("harness scenario {several} --seed 42")), "{several}");
        }
        assert!(!is_fine("harness scenario"));
        assert!(is_fine("harness serve --tenant shop:pro:0.01 --tenant open:free --facilitators 2 --port 8402"));
        assert!(!is_fine("harness serve --tenant shop:gold"));
        assert!(!is_fine("harness serve --tenant shop:pro --world outage"));
        assert!(!is_fine("harness serve --facilitators 9"));
        assert!(is_fine("harness conform --url http://localhost/ --start serve --facilitator-env URL"));
        assert!(is_fine("harness conform --facilitator http://localhost/ --settle --format json"));
        for wrong in ["", " --url a --facilitator b", " --url a --settle", " --facilitator a --start b", " --start b"] {
            assert!(!is_fine(&format!("harness conform{wrong}")), "{wrong}");
        }
        assert!(is_fine("harness list --profile pr --tag crash"));
        assert!(!is_fine("harness list --faults --profile pr"));
    }
}
