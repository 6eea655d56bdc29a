//! `redirect`: sends the caller elsewhere, as a facilitator does whose domain has moved. The money stays.
//!
//! Elsewhere is no endpoint of the double, so a caller that follows shows in the run's history.

use super::about::{About, Compared, Drawn, Moves};
use crate::{
    exchange::{Exchange, Played},
    reply::Reply,
};
use grammar::Listed;

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new("redirect", "an HTTP redirect to elsewhere; no money moves", "{ code = 308 }"),
    moves: Moves::Never,
    swarm: Drawn::OnAnyCall(&["redirect = { code = 307 }"]),
    compared: Compared::Not { because: "an HTML error page stands for every error status" },
};

pub async fn play(code: u16, exchange: &mut Exchange<'_>) -> Played {
    let reply = Reply::text(code, "text/plain", "");
    let head = String::from_utf8_lossy(&reply.head()).replacen("\r\n", "\r\nlocation: /elsewhere\r\n", 1);
    match exchange.caller.send(head.as_bytes()).await {
        Ok(()) => Played::sent(&reply),
        Err(_) => Played::caller_gone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Inject,
        testing::{Bench, Payer, once},
    };

    #[tokio::test]
    async fn a_redirect_says_where_to_and_moves_nothing() {
        let bench = Bench::new();
        let double = bench.double(once(Inject::Redirect { code: 308 })).await;
        let client = system::http_client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let url = format!("{}/settle", double.url());
        let answer = client.post(url).body(Payer::new(1).body(1)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (308, &"/elsewhere".parse().unwrap()));
        assert_eq!(bench.stop(double).await.1, 0);
    }
}
