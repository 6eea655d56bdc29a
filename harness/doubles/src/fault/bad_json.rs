//! `bad-json`: the honest answer without its second half, under a content length that fits. The money moves.
//!
//! Half an answer may still read `"success":true`: nobody may go by that.

use crate::{answers::Ask, reply::Reply};

pub fn reply(ask: &Ask<'_>) -> Reply {
    let mut reply = ask.honest();
    reply.body.truncate(reply.body.len() / 2);
    reply
}
