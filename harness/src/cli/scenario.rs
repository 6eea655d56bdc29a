//! `harness scenario` and `harness tiers`: which scenarios to run, and how.

use super::{
    FormatArgs, ReportArgs,
    which::{BarArgs, SEVERAL, WhichArgs},
};
use clap::{Args, value_parser};
use scenario::{Tier, limits::MAX_SEED};
use std::path::PathBuf;

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
