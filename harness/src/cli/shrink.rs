//! `harness shrink`: which failure to make small.

use super::FormatArgs;
use clap::{Args, value_parser};
use scenario::limits::MAX_SEED;
use std::path::PathBuf;

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
