//! `redirect`: sends the caller elsewhere, as a facilitator does whose domain has moved. The money stays.
//!
//! Elsewhere is no endpoint of the double, so a caller that follows shows in the run's history.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
    registry::FaultPlace,
};
use crate::{
    exchange::{Exchange, Played},
    origin_error::OriginError,
    reply::Reply,
};
use grammar::{Listed, Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("redirect", "an HTTP redirect to elsewhere; no money moves", "{ code = 308 }"),
    on: OnCalls::AnyCall,
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["redirect = { code = 307 }"]),
    compared: Compared::Not { because: "an HTML error page stands for every error status" },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawRedirect {
    #[schemars(with = "u16", extend("enum" = REDIRECTS))]
    code: Spanned<u16>,
}

/// The parameters as the double has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub code: u16,
}

impl RawRedirect {
    pub fn check(self, _: &FaultPlace, problems: &mut Problems) -> Option<Redirect> {
        Some(Redirect { code: check_redirect(&self.code, problems)? })
    }
}

impl Behaviour for Redirect {
    fn says(&self) -> String {
        format!("answers {}, to elsewhere", self.code)
    }

    async fn play(&self, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
        let reply = Reply::text(self.code, "text/plain", "");
        let head = String::from_utf8_lossy(&reply.head()).replacen("\r\n", "\r\nlocation: /elsewhere\r\n", 1);
        match exchange.caller.send(head.as_bytes()).await {
            Ok(()) => Ok(Played::sent(&reply)),
            Err(_) => Ok(Played::caller_gone()),
        }
    }
}

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

fn check_redirect(raw: &Spanned<u16>, problems: &mut Problems) -> Option<u16> {
    if !REDIRECTS.contains(raw.get_ref()) {
        let problem = Problem::new(raw.span(), "this status does not redirect", "no redirect");
        problems.add(problem.help("301, 302, 303, 307 or 308"));
        return None;
    }
    Some(*raw.get_ref())
}

#[cfg(test)]
mod tests {
    use super::Redirect;
    use crate::{
        Inject,
        testing::{Bench, Payer, once},
    };

    #[tokio::test]
    async fn a_redirect_says_where_to_and_moves_nothing() {
        let bench = Bench::new();
        let double = bench.double(once(Inject::Redirect(Redirect { code: 308 }))).await;
        let client = system::http_client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let url = format!("{}/settle", double.url());
        let answer = client.post(url).body(Payer::new(1).body(1)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (308, &"/elsewhere".parse().unwrap()));
        assert_eq!(bench.stop(double).await.1, 0);
    }
}
