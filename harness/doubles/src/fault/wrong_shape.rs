//! `wrong-shape`: good JSON of another API: the honest answer wrapped in an envelope that no specification has. The money
//! moves.

use crate::{answers::Ask, reply::Reply};
use serde_json::{Value, json};

pub fn reply(ask: &Ask<'_>) -> Reply {
    let honest = ask.honest();
    let inner: Value = serde_json::from_slice(&honest.body).unwrap_or_default();
    Reply::json(honest.status, &json!({"code": 0, "data": inner}))
}
