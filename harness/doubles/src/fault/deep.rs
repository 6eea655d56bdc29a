//! `deep`: the honest answer with a field of lists within lists, which a parser that recurses dies of. The money moves.

use super::about::{About, Compared, Drawn, Moves};
use crate::{ask::Ask, reply::Reply};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("deep", "the answer, with lists nested so deep in it; the money moves", "{ levels = 100000 }"),
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["deep = { levels = 500 }"]),
    compared: Compared::Not { because: "it measures limits, and not what becomes of the money" },
};

pub fn reply(levels: usize, ask: &Ask<'_>) -> Reply {
    with_field(ask.honest(), &format!("{}{}", "[".repeat(levels), "]".repeat(levels)))
}

/// The answer with one field more; by hand, because a value of this depth cannot be built, nor dropped, by recursion.
pub(super) fn with_field(mut reply: Reply, value: &str) -> Reply {
    let end = reply.body.iter().rposition(|byte| *byte == b'}').unwrap_or(reply.body.len());
    reply.body.truncate(end);
    reply.body.extend_from_slice(format!(",\"extra\":{value}}}").as_bytes());
    reply
}
