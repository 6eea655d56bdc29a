//! `harness swarm`, and `harness merge` for its shards.

use super::{FormatArgs, ReportArgs, duration::duration};
use crate::swarm::{Shard, SwarmSeed};
use clap::{Args, value_parser};
use std::{path::PathBuf, time::Duration};

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
