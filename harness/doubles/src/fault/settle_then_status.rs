//! `settle-then-status`: the money moves, and a proxy in front answers with an error of its own, or puts its status on the
//! honest answer. Whoever goes by the status bills a payer who has paid.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
    status::{self, StatusBody},
};
use crate::{ask::Ask, reply::Reply};
use grammar::{Listed, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "settle-then-status",
        "the money moves, then an HTTP error status (settle; body: html, empty, json, answer)",
        "{ code = 502, body = \"html\" }",
    ),
    on: OnCalls::Settle,
    moves: Moves::Always,
    swarm: Drawn::OnSettle(&[
        "settle-then-status = { code = 502, body = \"html\" }",
        "settle-then-status = { code = 503, body = \"answer\" }",
        "settle-then-status = { code = 401, body = \"json\" }",
    ]),
    compared: Compared::Yes,
};

/// The body under an error status although the money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettledBody {
    Html,
    Empty,
    Json,
    /// The honest answer: the body says yes and the status no.
    Answer,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawSettleThenStatus {
    #[schemars(with = "u16", range(min = 300, max = 599))]
    code: Spanned<u16>,
    body: SettledBody,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleThenStatus {
    pub code: u16,
    pub body: SettledBody,
}

impl RawSettleThenStatus {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<SettleThenStatus> {
        Some(SettleThenStatus { code: status::check_code(&self.code, problems)?, body: self.body })
    }
}

impl Behaviour for SettleThenStatus {
    fn says(&self) -> String {
        let body = match self.body {
            SettledBody::Html => "a page",
            SettledBody::Empty => "nothing",
            SettledBody::Json => "JSON",
            SettledBody::Answer => "its honest answer",
        };
        format!("settles, then answers {} with {body}", self.code)
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Self { code, body } = *self;
        let honest = ask.honest();
        match body {
            SettledBody::Html => status::page(code, StatusBody::Html),
            SettledBody::Empty => status::page(code, StatusBody::Empty),
            SettledBody::Json => status::page(code, StatusBody::Json),
            SettledBody::Answer => Reply { status: code, ..honest },
        }
    }
}
