//! Plans, by the names that the dispatcher knows.

use schemars::JsonSchema;
use serde::Deserialize;

/// Decides the limits and rates that the dispatcher gives a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    Free,
    Pro,
    Business,
    Enterprise,
    Quarantine,
}

impl Plan {
    pub const ALL: [Self; 5] = [Self::Free, Self::Pro, Self::Business, Self::Enterprise, Self::Quarantine];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Business => "business",
            Self::Enterprise => "enterprise",
            Self::Quarantine => "quarantine",
        }
    }
}
