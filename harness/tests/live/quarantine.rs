//! A tenant is put into quarantine and taken out of it while requests come: without a deploy, and at the next one.

use crate::{
    harness::turn,
    one_payment::{invoice, send, unix_now},
    served::Served,
};
use reports::event::Event;
use reqwest::Method;
use traffic::Payers;

#[test]
fn a_quarantine_counts_at_the_next_request_and_so_does_its_end() {
    let _turn = turn();
    let served = Served::start();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        buy(&served, 0).await;
        let good = r#"{"reason":"phishing","author":"ann"}"#;
        for (token, body, status) in [
            ("wrong", good, 401),
            (served.platform.as_str(), r#"{"reason":"x"}"#, 400),
            (served.platform.as_str(), good, 200),
        ] {
            assert_eq!(quarantine(&served, Method::POST, token, body).await, status, "{token} {body}");
        }
        for (body, status) in [
            (good, 404),
            (r#"{"reason":"phishing","author":"ann","force":true}"#, 200),
            (r#"{"reason":"\u001b[2J","author":"ann"}"#, 400),
        ] {
            assert_eq!(put_away(&served, "nobody", Method::POST, &served.platform, body).await, status, "{body}");
        }
        buy(&served, 1).await;
        assert_eq!(quarantine(&served, Method::DELETE, &served.platform, "").await, 200);
        buy(&served, 2).await;
        let mut guesses = 0;
        while quarantine(&served, Method::POST, &format!("guess-{guesses}"), good).await == 401 {
            guesses += 1;
            assert!(guesses < 100, "the token can be guessed at for ever");
        }
        assert!(guesses >= 8, "it was refused after {guesses}");
        assert_eq!(quarantine(&served, Method::POST, &served.platform, good).await, 429, "not even the right one");
    });
    let events = served.stop();
    let limits = events.iter().filter_map(|event| match event {
        Event::TenantRan(run) => Some((run.cpu_ms, run.sub_requests)),
        _ => None,
    });
    let (pro, quarantined) = ((Some(50.0), Some(50.0)), (Some(5.0), Some(1.0)));
    assert_eq!(limits.collect::<Vec<_>>(), [pro, quarantined, pro]);
}

async fn buy(served: &Served, purchase: u64) {
    let quote = format!("{}/t/acme/quote", served.url);
    let payment = Payers::from_seed(unix_now()).pay(&invoice(&quote).await, purchase, 0, unix_now());
    let answer = send(&quote, Some(&payment)).await;
    assert!(answer.says(200, ""), "{answer:?}");
}

async fn quarantine(served: &Served, method: Method, token: &str, body: &str) -> u16 {
    put_away(served, "acme", method, token, body).await
}

async fn put_away(served: &Served, tenant: &str, method: Method, token: &str, body: &str) -> u16 {
    let http = system::http_client::builder().build().unwrap();
    let request = http.request(method, format!("{}/__platform/tenants/{tenant}/quarantine", served.url));
    let response = request.bearer_auth(token).body(body.to_owned()).send().await.unwrap();
    response.status().as_u16()
}
