//! `huge`: the honest answer with a field in it that nobody can use and everybody must read past. The money moves.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    deep::check_size,
    registry::FaultPlace,
};
use crate::{ask::Ask, reply::Reply};
use grammar::{Listed, Problems, limits::MAX_HUGE_KILOBYTES};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "huge",
        "the answer, with so many kilobytes more in it; the money moves",
        "{ kilobytes = 8192 }",
    ),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::Not { because: "a drawn run would spend its time on bytes" },
    compared: Compared::Not { because: "it measures limits, and not what becomes of the money" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawHuge {
    #[schemars(with = "usize", range(min = 1, max = MAX_HUGE_KILOBYTES))]
    kilobytes: Spanned<usize>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Huge {
    pub kilobytes: usize,
}

impl RawHuge {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Huge> {
        Some(Huge { kilobytes: check_size(&self.kilobytes, MAX_HUGE_KILOBYTES, "kilobytes", problems)? })
    }
}

impl Behaviour for Huge {
    fn says(&self) -> String {
        format!("answers with {} kB more than needed", self.kilobytes)
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        super::deep::with_field(ask.honest(), &format!("\"{}\"", "x".repeat(self.kilobytes * 1024)))
    }
}
