//! `status`: an HTTP status instead of an answer, as proxies and load balancers in front of a facilitator send it. The
//! money stays.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{
    ask::Ask,
    reply::{JSON, Reply},
};
use grammar::{Listed, Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "status",
        "an HTTP error status (body: html, empty, json); no money moves",
        "{ code = 502, body = \"html\" }",
    ),
    on: OnCalls::AnyCall,
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&[
        "status = { code = 502, body = \"html\" }",
        "status = { code = 429, body = \"empty\" }",
        "status = { code = 401, body = \"json\" }",
    ]),
    compared: Compared::Yes,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatusBody {
    Html,
    Empty,
    Json,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawStatus {
    #[schemars(with = "u16", range(min = 300, max = 599))]
    code: Spanned<u16>,
    body: StatusBody,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub code: u16,
    pub body: StatusBody,
}

impl RawStatus {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Status> {
        Some(Status { code: check_code(&self.code, problems)?, body: self.body })
    }
}

impl Behaviour for Status {
    fn says(&self) -> String {
        let body = match self.body {
            StatusBody::Html => "a page",
            StatusBody::Empty => "nothing",
            StatusBody::Json => "JSON",
        };
        format!("answers {} with {body}", self.code)
    }

    fn reply(&self, _: &Ask<'_>) -> Reply {
        page(self.code, self.body)
    }
}

/// Returns the answer of a proxy in front.
pub fn page(code: u16, body: StatusBody) -> Reply {
    match body {
        // A proxy's error page.
        StatusBody::Html => Reply::text(
            code,
            "text/html",
            &format!("<html><head><title>{code}</title></head><body><center><h1>{code}</h1></center></body></html>\n"),
        ),
        StatusBody::Empty => Reply::text(code, "text/plain", ""),
        // Says nothing of validity or success.
        StatusBody::Json => Reply::text(code, JSON, r#"{"message":"Internal server error"}"#),
    }
}

pub fn check_code(raw: &Spanned<u16>, problems: &mut Problems) -> Option<u16> {
    if !(300..=599).contains(raw.get_ref()) {
        let problem = Problem::new(raw.span(), "a status fault answers with 300 to 599", "not an error status");
        problems.add(problem.help("for a 200 that is wrong see bad-json, wrong-shape and lie"));
        return None;
    }
    Some(*raw.get_ref())
}
