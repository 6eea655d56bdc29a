//! `harness bench`: how often, how long and on what to measure.

use super::{FormatArgs, ReportArgs};
use clap::{Args, value_parser};
use std::path::PathBuf;

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
