//! `harness meta`: the scenario that is simulated twice.

use super::{FormatArgs, ReportArgs};
use clap::{Args, value_parser};
use scenario::limits::MAX_SEED;

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
