//! How much a gate runs. Profiles are nested, so what a weaker one refuses no stronger one lets through.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// With every change
    Pr,
    /// Each night
    Nightly,
    /// Before a release
    Release,
}

impl Profile {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pr => "pr",
            Self::Nightly => "nightly",
            Self::Release => "release",
        }
    }

    /// The time after which nothing more is begun, unless a command line gives another.
    #[must_use]
    pub fn time(self) -> Duration {
        let minutes = match self {
            Self::Pr => 15,
            Self::Nightly => 3 * 60,
            Self::Release => 5 * 60,
        };
        Duration::from_secs(60 * minutes)
    }
}
