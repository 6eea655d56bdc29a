//! `harness list`, `rules` and `explain`: what to show of the library and its rules.

use super::{FormatArgs, which::SelectArgs};
use crate::catalogue::list::Listing;
use clap::Args;

#[derive(Debug, Args)]
pub struct ListArgs {
    /// List what a scenario can inject instead
    #[arg(long, conflicts_with_all = ["clients", "checkers", "profile", "tags"])]
    faults: bool,
    /// List the kinds of clients that a scenario's traffic can have instead
    #[arg(long, conflicts_with_all = ["checkers", "profile", "tags"])]
    clients: bool,
    /// List what a scenario can hold the dispatcher to instead
    #[arg(long, conflicts_with_all = ["profile", "tags"])]
    checkers: bool,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    pub print: FormatArgs,
}

impl ListArgs {
    pub fn what(&self) -> Listing {
        match (self.faults, self.clients, self.checkers) {
            (true, ..) => Listing::Faults,
            (_, true, _) => Listing::Clients,
            (.., true) => Listing::Checkers,
            _ => Listing::Scenarios(self.select.selection()),
        }
    }
}

#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Id of a rule (MONEY-1), or name of its checker; all of them unless given
    pub rule: Option<String>,
    #[command(flatten)]
    pub print: FormatArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Name of a scenario, or the path of a .toml file
    #[arg(value_name = "NAME")]
    pub scenario: String,
    #[command(flatten)]
    pub print: FormatArgs,
}
