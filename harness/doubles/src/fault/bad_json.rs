//! `bad-json`: the honest answer without its second half, under a content length that fits. The money moves.
//!
//! Half an answer may still read `"success":true`: nobody may go by that.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
};
use crate::{ask::Ask, reply::Reply};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("bad-json", "200 with a body that is not JSON; the money moves", "{}"),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["bad-json = {}"]),
    compared: Compared::Yes,
};

pub struct BadJson;

impl Behaviour for BadJson {
    fn says(&self) -> String {
        "answers 200 with what is no JSON".to_owned()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let mut reply = ask.honest();
        reply.body.truncate(reply.body.len() / 2);
        reply
    }
}
