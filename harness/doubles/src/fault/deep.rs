//! `deep`: the honest answer with a field of lists within lists, which a parser that recurses dies of. The money moves.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{ask::Ask, reply::Reply};
use grammar::{Listed, Problem, Problems, limits::MAX_DEEP_LEVELS};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("deep", "the answer, with lists nested so deep in it; the money moves", "{ levels = 100000 }"),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["deep = { levels = 500 }"]),
    compared: Compared::Not { because: "it measures limits, and not what becomes of the money" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawDeep {
    #[schemars(with = "usize", range(min = 1, max = MAX_DEEP_LEVELS))]
    levels: Spanned<usize>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deep {
    pub levels: usize,
}

impl RawDeep {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Deep> {
        Some(Deep { levels: check_size(&self.levels, MAX_DEEP_LEVELS, "levels", problems)? })
    }
}

impl Behaviour for Deep {
    fn says(&self) -> String {
        format!("answers with lists nested {} deep", self.levels)
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        with_field(ask.honest(), &format!("{}{}", "[".repeat(self.levels), "]".repeat(self.levels)))
    }
}

/// The answer with one field more; by hand, because a value of this depth cannot be built, nor dropped, by recursion.
pub(super) fn with_field(mut reply: Reply, value: &str) -> Reply {
    let end = reply.body.iter().rposition(|byte| *byte == b'}').unwrap_or(reply.body.len());
    reply.body.truncate(end);
    reply.body.extend_from_slice(format!(",\"extra\":{value}}}").as_bytes());
    reply
}

pub fn check_size(raw: &Spanned<usize>, most: usize, what: &str, problems: &mut Problems) -> Option<usize> {
    if !(1..=most).contains(raw.get_ref()) {
        problems.add(Problem::new(raw.span(), format!("an answer has 1 to {most} {what} more"), "out of range"));
        return None;
    }
    Some(*raw.get_ref())
}
