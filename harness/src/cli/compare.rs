//! `harness compare`: the two sides, and how much slower the second may be.

use super::{FormatArgs, ReportArgs};
use clap::{Args, value_parser};
use std::path::PathBuf;

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
