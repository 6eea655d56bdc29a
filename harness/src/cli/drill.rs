//! `harness drill`: an incident to make, or what somebody concludes from its log.

use super::{FormatArgs, ReportArgs};
use clap::Args;
use scenario::Tier;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct DrillArgs {
    /// stuck-settle, error-pages, burning-tenant or flood
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The tier to make the incident in: against the real Worker takes a minute, in virtual time a second
    #[arg(long, value_enum, default_value_t = Tier::Live, conflicts_with = "of")]
    pub tier: Tier,
    /// Folder of the incident that the conclusions are about
    #[arg(long, value_name = "DIR")]
    pub of: Option<PathBuf>,
    /// The kind of thing that was ill: facilitator, tenant, load, configuration, directory, ledger or dispatcher
    #[arg(long, value_name = "KIND", requires = "of")]
    pub kind: Option<String>,
    /// Which facilitator or tenant
    #[arg(long, value_name = "ID", requires = "of")]
    pub who: Option<String>,
    /// Which of its calls: verify, settle or none
    #[arg(long, value_name = "CALL", requires = "of")]
    pub call: Option<String>,
    /// When it began, as a time of day in UTC
    #[arg(long, value_name = "TIME", requires = "of")]
    pub began: Option<String>,
    /// How many payments nobody knows to be charged or not, at the log's end
    #[arg(long, value_name = "N", requires = "of")]
    pub open: Option<usize>,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}
