//! `harness namespace`, and its supervisor under a guard.

use super::FormatArgs;
use clap::{Args, value_parser};
use namespace::{self, Policy};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct NamespaceArgs {
    /// Folder of the scripts: one folder, or one .js/.mjs file, each
    #[arg(long, value_name = "DIR", required_unless_present = "calibrate")]
    pub tenants: Option<PathBuf>,
    /// Port on loopback; 0 for any free one
    #[arg(long, value_name = "N", default_value_t = 8402)]
    pub port: u16,
    /// The one who answers the tenants' subrequests: `double`, `refuse`, or a server of yours as http://HOST:PORT
    #[arg(long, value_name = "POLICY", default_value_t = Policy::Double)]
    pub outbound: Policy,
    /// The memory that an isolate may hold before it is ended, beyond what its process began with: resident pages,
    /// garbage and
    /// the runtime's own copies among them, looked at from outside, so that a fast one is a few MB over by then
    #[arg(long, value_name = "N", default_value_t = namespace::DEFAULT_MEMORY_MB, value_parser = value_parser!(u32).range(16..=4096))]
    pub memory_mb: u32,
    /// The folder to write the plugin to, for `wrangler dev`; a folder of the cache unless given
    #[arg(long, value_name = "DIR")]
    pub plugin_dir: Option<PathBuf>,
    /// Measure how exactly tenants are cut off on this machine, and what that costs a neighbour
    #[arg(long, conflicts_with = "tenants")]
    pub calibrate: bool,
    #[command(flatten)]
    pub print: FormatArgs,
}

/// The options of `harness namespace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceTask {
    Serve,
    Calibrate,
}

impl NamespaceArgs {
    pub fn task(&self) -> NamespaceTask {
        if self.tenants.is_some() { NamespaceTask::Serve } else { NamespaceTask::Calibrate }
    }
}

#[derive(Debug, Args)]
pub struct SuperviseArgs {
    #[command(flatten)]
    pub args: NamespaceArgs,
    #[arg(long, value_name = "FILE")]
    pub workerd: PathBuf,
    /// The URL that dispatches and their ends are reported to, in place of standard output
    #[arg(long, value_name = "URL")]
    pub report_to: Option<reqwest::Url>,
}
