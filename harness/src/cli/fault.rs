//! `harness fault`: faults of a world that is being served.

use super::FormatArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

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
