//! What a scenario is run against.

use crate::Scenario;
use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tier {
    /// The Worker under `wrangler dev`, real HTTP, real time
    Live,
    /// The dispatcher's core in virtual time, from one seed
    Sim,
}

impl Tier {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sim => "sim",
        }
    }

    /// Whether the scenario can be run in it: what the harness did not write cannot be simulated.
    #[must_use]
    pub fn runs(self, scenario: &Scenario) -> bool {
        self == Self::Live || !scenario.world().is_official()
    }

    /// The option that asks for it on the command line, with a leading space; empty where it is the default.
    #[must_use]
    pub fn as_flag(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Sim => " --tier sim",
        }
    }
}
