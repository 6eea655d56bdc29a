//! Commands about a run that is over: `harness check`, `report`, `export`, `replay` and `clean`.

use super::{FormatArgs, ReportArgs, which::BarArgs};
use clap::Args;
use std::path::PathBuf;

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
