//! `harness install`, `completions` and `man`: what a machine without a checkout is given.

use super::FormatArgs;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The folder: bin/harness, the built Workers and the scenarios go there
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder to write them to
    #[arg(long, value_name = "DIR", default_value = "man")]
    pub to: PathBuf,
    #[command(flatten)]
    pub print: FormatArgs,
}
