//! `huge`: the honest answer with a field in it that nobody can use and everybody must read past. The money moves.

use super::about::{About, Compared, Drawn, Moves};
use crate::{ask::Ask, reply::Reply};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "huge",
        "the answer, with so many kilobytes more in it; the money moves",
        "{ kilobytes = 8192 }",
    ),
    moves: Moves::Always,
    swarm: Drawn::Not { because: "a drawn run would spend its time on bytes" },
    compared: Compared::Not { because: "it measures limits, and not what becomes of the money" },
};

pub fn reply(kilobytes: usize, ask: &Ask<'_>) -> Reply {
    super::deep::with_field(ask.honest(), &format!("\"{}\"", "x".repeat(kilobytes * 1024)))
}
