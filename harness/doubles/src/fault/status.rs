//! `status`: an HTTP status instead of an answer, as proxies and load balancers in front of a facilitator send it. The
//! money stays.

use super::about::{About, Compared, Drawn, Moves};
use crate::{
    StatusBody,
    reply::{JSON, Reply},
};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "status",
        "an HTTP error status (body: html, empty, json); no money moves",
        "{ code = 502, body = \"html\" }",
    ),
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&[
        "status = { code = 502, body = \"html\" }",
        "status = { code = 429, body = \"empty\" }",
        "status = { code = 401, body = \"json\" }",
    ]),
    compared: Compared::Yes,
};

pub fn reply(code: u16, body: StatusBody) -> Reply {
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
