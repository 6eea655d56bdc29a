//! The command line: what can be asked for, one file a command or a family of them. `commands::carry_out` does it.

mod bench;
mod catalogue;
mod compare;
mod conform;
mod drill;
mod duration;
mod fault;
mod format;
mod gate;
mod incident;
mod install;
mod meta;
mod namespace;
mod new;
mod pay;
mod recording;
mod report_args;
mod scenario;
mod selftest;
mod serve;
mod shrink;
mod swarm;
mod which;

pub use bench::BenchArgs;
pub use catalogue::{ExplainArgs, ListArgs, RulesArgs};
pub use compare::CompareArgs;
pub use conform::{ConformArgs, ConformanceArgs};
pub use drill::DrillArgs;
pub use fault::{FaultAct, FaultArgs};
pub use format::{Format, FormatArgs, asks_for_json};
pub use gate::{GateArgs, GateTask};
pub use incident::{IncidentArgs, IncidentReport, IncidentRun};
pub use install::{CompletionsArgs, InstallArgs, ManArgs};
pub use meta::MetaArgs;
pub use namespace::{NamespaceArgs, NamespaceTask, SuperviseArgs};
pub use new::{NewArgs, SchemaArgs};
pub use pay::{PayArgs, PayingClient};
pub use recording::{CheckArgs, CleanArgs, ExportArgs, ReplayArgs, RunReportArgs};
pub use report_args::{ReportArgs, ReportFile, ReportNotWritten};
pub use scenario::{ScenarioArgs, TiersArgs};
pub use selftest::SelftestArgs;
pub use serve::ServeArgs;
pub use shrink::ShrinkArgs;
pub use swarm::{MergeArgs, SwarmArgs};
pub use which::{BarArgs, SelectArgs, WhichArgs};

use crate::exit::Exit;
use clap::{ArgAction, Parser, Subcommand};
use std::path::PathBuf;

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
    #[command(name = ::namespace::SUBCOMMAND, hide = true)]
    Supervise(SuperviseArgs),
    /// Check an x402 server or a facilitator, any that there is, from outside
    Conform(ConformArgs),
    /// Write what the dispatcher and the official server library do under each fault to docs/conformance.md
    Conformance(ConformanceArgs),
}

fn after_help() -> String {
    format!("Example:\n  harness scenario outage --seed 42\n\n{}", Exit::table())
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
    const PRINT_FOR_OTHERS: [&str; 2] = ["completions", ::namespace::SUBCOMMAND];

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
