//! `huge`: the honest answer with a field in it that nobody can use and everybody must read past. The money moves.

use crate::{answers::Ask, reply::Reply};

pub fn reply(kilobytes: usize, ask: &Ask<'_>) -> Reply {
    super::deep::with_field(ask.honest(), &format!("\"{}\"", "x".repeat(kilobytes * 1024)))
}
