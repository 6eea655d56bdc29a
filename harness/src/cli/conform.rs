//! `harness conform` and `harness conformance`: other people's servers, and the table about one of them.

use super::{FormatArgs, ReportArgs};
use crate::http::request_form::{self, Header};
use clap::{ArgGroup, Args};
use reqwest::Method;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").required(true).args(["url", "facilitator"])))]
pub struct ConformArgs {
    /// The URL of something that the server sells: its offer is checked, and how it refuses what is no payment. For
    /// https the system's certificates count, or those in the file that SSL_CERT_FILE names
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A facilitator: what it supports, and how it verifies what is no payment
    #[arg(long, value_name = "URL")]
    pub facilitator: Option<String>,
    /// Start the server at --url by this shell command, once for each fault of the facilitator double whose URL stands for
    /// `{facilitator}` in it, and check what it does then
    #[arg(long, value_name = "COMMAND", conflicts_with = "facilitator")]
    pub start: Option<String>,
    /// The environment variable that has the double's URL, too, for the command
    #[arg(long, value_name = "NAME", requires = "start", default_value = "FACILITATOR_URL")]
    pub facilitator_env: String,
    /// Method of the request that --url sells [default: GET, or POST with --body]
    #[arg(long, value_name = "METHOD", requires = "url", conflicts_with = "facilitator", value_parser = request_form::method)]
    pub method: Option<Method>,
    /// Body of that request; JSON unless a header says otherwise or it does not read as such
    #[arg(long, value_name = "TEXT", requires = "url", conflicts_with = "facilitator")]
    pub body: Option<String>,
    /// A header of that request; may be given more than once
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "url", conflicts_with = "facilitator", value_parser = request_form::header)]
    pub headers: Vec<Header>,
    /// A header for the facilitator, such as one with a key; may be given more than once
    #[arg(long = "facilitator-header", value_name = "NAME: VALUE", requires = "facilitator", conflicts_with = "url", value_parser = request_form::header)]
    pub facilitator_headers: Vec<Header>,
    /// Ask the facilitator to settle, too
    #[arg(long, conflicts_with = "url")]
    pub settle: bool,
    /// Send broken payments to a server that is not on this machine
    #[arg(long)]
    pub allow_remote: bool,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// Compare with the file as it is instead of writing it
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}
