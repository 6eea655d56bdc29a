//! `settle-then-status`: the money moves, and a proxy in front answers with an error of its own, or puts its status on the
//! honest answer. Whoever goes by the status bills a payer who has paid.

use super::{
    about::{About, Compared, Drawn, Moves},
    status,
};
use crate::{SettledBody, StatusBody, ask::Ask, reply::Reply};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "settle-then-status",
        "the money moves, then an HTTP error status (settle; body: html, empty, json, answer)",
        "{ code = 502, body = \"html\" }",
    ),
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&[
        "settle-then-status = { code = 502, body = \"html\" }",
        "settle-then-status = { code = 503, body = \"answer\" }",
        "settle-then-status = { code = 401, body = \"json\" }",
    ]),
    compared: Compared::Yes,
};

pub fn reply(code: u16, body: SettledBody, ask: &Ask<'_>) -> Reply {
    let honest = ask.honest();
    match body {
        SettledBody::Html => status::reply(code, StatusBody::Html),
        SettledBody::Empty => status::reply(code, StatusBody::Empty),
        SettledBody::Json => status::reply(code, StatusBody::Json),
        SettledBody::Answer => Reply { status: code, ..honest },
    }
}
