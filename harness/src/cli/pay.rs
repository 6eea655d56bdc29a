//! `harness pay`: what to buy, and with which client.

use super::{FormatArgs, duration::duration};
use crate::http::request_form::{self, Header};
use clap::{Args, ValueEnum};
use reqwest::Method;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct PayArgs {
    /// The URL to buy, path included
    #[arg(value_name = "URL")]
    pub url: String,
    /// Print the header that pays and send nothing: curl -H "$(harness pay URL --header)" URL
    #[arg(long, conflicts_with = "client")]
    pub header: bool,
    /// The client that pays: ours, or `@x402/fetch`
    #[arg(long, value_enum, default_value_t = PayingClient::Ours)]
    pub client: PayingClient,
    /// Method of the request [default: GET, or POST with --body]
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = request_form::method)]
    pub method: Option<Method>,
    /// Body of the request; JSON unless a header says otherwise or it does not read as such
    #[arg(short = 'd', long, value_name = "TEXT")]
    pub body: Option<String>,
    /// A header of the request; may be given more than once
    #[arg(short = 'H', long = "with", value_name = "NAME: VALUE", value_parser = request_form::header)]
    pub headers: Vec<Header>,
    /// How long to go on sending a payment whose outcome is unknown; 0s to send it once
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = patience)]
    pub patience: Duration,
    /// Seed of the key; a fresh one unless given, which nobody keeps
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PayingClient {
    /// The harness's own, which sends a payment again whose outcome is unknown
    Ours,
    /// The official TypeScript client, which does what it does
    Official,
}

/// Reads a duration as `duration` does, and none at all.
fn patience(text: &str) -> Result<Duration, String> {
    if ["0", "0s"].contains(&text) { Ok(Duration::ZERO) } else { duration(text) }
}
