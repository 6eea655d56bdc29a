//! `harness incident`: the logs, the part of them that counts, and where the page and the scenario go.

use super::FormatArgs;
use clap::{Args, ValueEnum, value_parser};
use scenario::limits::MAX_SEED;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct IncidentArgs {
    /// Logs: files of `wrangler tail`, Workers Logs or Logpush, packed or not; a run's folder, its events or its log; `-` for standard
    /// input. Several are read as one
    #[arg(value_name = "INPUT", required = true)]
    pub logs: Vec<PathBuf>,
    /// Only from this moment on, in UTC: 16:30, or 2026-11-28T16:30:00Z
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only up to this moment
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only what is about this request and its payment; may be given more than once
    #[arg(long = "request-id", value_name = "ID")]
    pub request_ids: Vec<String>,
    /// URL of the dispatcher, for the commands of the page
    #[arg(long, value_name = "URL")]
    pub dispatcher: Option<String>,
    /// Name of the new scenario
    #[arg(long, value_name = "NAME", default_value = "incident")]
    pub name: String,
    /// File to write it to; NAME.toml here unless given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Seed that it gets; a fresh one unless given
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=MAX_SEED))]
    pub seed: Option<u64>,
    /// Run the scenario at once, and hold the run against the log
    #[arg(long, value_enum, default_value_t = IncidentRun::Sim)]
    pub run: IncidentRun,
    /// Write the page to a file as well: html=FILE
    #[arg(long = "report", value_name = "html=FILE", value_parser = incident_report)]
    pub reports: Vec<IncidentReport>,
    #[command(flatten)]
    pub print: FormatArgs,
}

/// The tier that an incident's scenario is run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IncidentRun {
    /// In virtual time, which takes a second or two
    Sim,
    /// Against the real Worker
    Live,
    /// Not at all
    No,
}

/// A page that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentReport {
    pub path: PathBuf,
}

fn incident_report(text: &str) -> Result<IncidentReport, String> {
    match text.split_once('=') {
        Some(("html", path)) if !path.is_empty() => Ok(IncidentReport { path: path.into() }),
        _ => Err("the page is asked for as html=FILE".to_owned()),
    }
}
