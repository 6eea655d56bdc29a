//! The official TypeScript client pays a tenant of a served world and gets its content.

use crate::{harness::turn, npm_client::NpmClient, served::Served};

#[test]
fn the_official_typescript_client_pays_and_gets_the_content() {
    let _turn = turn();
    let client = NpmClient::installed("official-client", "about 15 s, 92 MB");
    let served = Served::start();
    let got = client.pay(&format!("{}/t/acme/quote?symbol=X", served.url));
    assert_eq!(got["status"], 200, "{got}");
    assert_eq!(got["receipt"]["success"], true);
    assert_eq!(got["receipt"]["network"], "eip155:84532");
    assert_eq!(got["receipt"]["payer"], got["payer"]);
    assert!(got["body"].as_str().unwrap().contains("/quote?symbol=X"), "{got}");
}
