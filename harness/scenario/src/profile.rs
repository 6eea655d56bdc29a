//! How often a scenario is worth its time. Profiles are nested, so that a file names one: the first gate it stands in.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// The gate at which a scenario is run first; every later one runs it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// With every change: minutes
    Pr,
    /// Each night: all but the longest
    #[default]
    Nightly,
    /// Before a release: everything
    Release,
}

impl Profile {
    /// Longer ones wait for a release.
    pub const LONGEST_NIGHTLY: Duration = Duration::from_secs(30);

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pr => "pr",
            Self::Nightly => "nightly",
            Self::Release => "release",
        }
    }

    /// Whether this gate runs what is first run at `first`.
    pub fn runs(self, first: Self) -> bool {
        first <= self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_gate_runs_what_an_earlier_one_does() {
        let run_by = |gate: Profile| {
            Profile::value_variants().iter().filter(|first| gate.runs(**first)).map(|first| first.as_str()).collect()
        };
        let cases: [(Profile, Vec<&str>); 3] = [
            (Profile::Pr, vec!["pr"]),
            (Profile::Nightly, vec!["pr", "nightly"]),
            (Profile::Release, vec!["pr", "nightly", "release"]),
        ];
        for (gate, expected) in cases {
            let found: Vec<&str> = run_by(gate);
            assert_eq!(found, expected);
        }
    }
}
