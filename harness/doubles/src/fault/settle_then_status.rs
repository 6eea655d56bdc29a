//! `settle-then-status`: the money moves, and a proxy in front answers with an error of its own, or puts its status on the
//! honest answer. Whoever goes by the status bills a payer who has paid.

use super::status;
use crate::{SettledBody, StatusBody, answers::Ask, reply::Reply};

pub fn reply(code: u16, body: SettledBody, ask: &Ask<'_>) -> Reply {
    let honest = ask.honest();
    match body {
        SettledBody::Html => status::reply(code, StatusBody::Html),
        SettledBody::Empty => status::reply(code, StatusBody::Empty),
        SettledBody::Json => status::reply(code, StatusBody::Json),
        SettledBody::Answer => Reply { status: code, ..honest },
    }
}
