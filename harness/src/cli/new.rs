//! `harness new` and `harness schema`: the files of the scenario language that are written.

use super::FormatArgs;
use clap::Args;
use std::path::PathBuf;

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
