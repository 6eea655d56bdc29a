//! `harness selftest`: which bugs to plant, and where.

use super::{FormatArgs, ReportArgs};
use clap::Args;
use scenario::Tier;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// Plant these bugs only
    #[arg(value_name = "BUG")]
    named: Vec<String>,
    /// The same; can be repeated
    #[arg(long = "bug", value_name = "NAME", hide = true)]
    also_named: Vec<String>,
    /// Plant the bugs of this folder as well: one TOML file each, as in `harness/bugs`
    #[arg(long = "bugs", value_name = "DIR")]
    pub more: Option<PathBuf>,
    /// The place to plant in: the dispatcher's core, or in the Worker's adapters, which takes some eight minutes
    #[arg(long, value_enum, default_value_t = Tier::Sim)]
    pub tier: Tier,
    /// Look for each bug in all simulated scenarios, its own first, until one shows it
    #[arg(long, conflicts_with = "list")]
    pub everywhere: bool,
    /// List the bugs of both tiers, what they break and what is to catch them, without planting any
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub print: FormatArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

impl SelftestArgs {
    /// The bugs that are named.
    pub fn names(&self) -> Vec<String> {
        self.named.iter().chain(&self.also_named).cloned().collect()
    }
}
