//! `wrong-shape`: good JSON of another API: the honest answer wrapped in an envelope that no specification has. The money
//! moves.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
};
use crate::{ask::Ask, reply::Reply};
use grammar::Listed;
use serde_json::{Value, json};

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("wrong-shape", "200 with JSON of another shape; the money moves", "{}"),
    on: OnCalls::AnyCall,
    moves: Moves::Always,
    swarm: Drawn::OnAnyCall(&["wrong-shape = {}"]),
    compared: Compared::Yes,
};

pub struct WrongShape;

impl Behaviour for WrongShape {
    fn says(&self) -> String {
        "answers 200 with JSON of another shape".to_owned()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let honest = ask.honest();
        let inner: Value = serde_json::from_slice(&honest.body).unwrap_or_default();
        Reply::json(honest.status, &json!({"code": 0, "data": inner}))
    }
}
